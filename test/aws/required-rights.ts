import type { RequiredRight } from './iam-policy.ts';
import { MOTO_ACCOUNT, REGION } from './moto.ts';
import type { RecordedCall } from './recording-proxy.ts';

const JOBS = `arn:aws:bedrock:${REGION}:${MOTO_ACCOUNT}:model-invocation-job`;

/** The rights that a recorded call needs on AWS. Throws for a call that is not known, so that none goes unchecked. */
export function requiredRights(call: RecordedCall): RequiredRight[] {
  const { method, path } = call;
  if (/^\/(?:model-invocation-job|model\/|listTagsForResource)/.test(path)) return bedrockRights(call);
  if (method === 'POST' && path === '/' && JSON.parse(call.body || '{}').ServiceCode !== undefined) {
    return [{ action: 'servicequotas:ListServiceQuotas', resource: '*' }];
  }
  const profile = /^\/inference-profiles\/([^/]+)$/.exec(path);
  if (method === 'GET' && profile !== null) {
    return [{ action: 'bedrock:GetInferenceProfile', resource: decodeURIComponent(profile[1] ?? '') }];
  }
  const invocation = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(path);
  if (invocation !== null && method === 'POST') {
    return [{ action: 'lambda:InvokeFunction', resource: decodeURIComponent(invocation[1] ?? '') }];
  }
  return s3Rights(call);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
function s3Rights({ method, path, query, status }: RecordedCall): RequiredRight[] {
  const [bucket = '', ...rest] = decodeURIComponent(path).slice(1).split('/');
  const key = rest.join('/');
  const context = { 'aws:ResourceAccount': MOTO_ACCOUNT };
  const bucketRight = { action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket}`, context };
  const objectRight = (action: string) => ({ action, resource: `arn:aws:s3:::${bucket}/${key}`, context });
  if (key === '' && method === 'GET' && query.get('list-type') === '2') return [bucketRight];
  if (key !== '') {
    switch (method) {
      case 'HEAD':
      case 'GET':
        // Whoever may not list is told 403, not 404.
        return [objectRight('s3:GetObject'), ...(status === 404 ? [bucketRight] : [])];
      case 'PUT':
      case 'POST':
        return [objectRight('s3:PutObject')];
      case 'DELETE':
        return [objectRight(query.has('uploadId') ? 's3:AbortMultipartUpload' : 's3:DeleteObject')];
    }
  }
  throw new Error(`Nobody knows which right this call needs: ${method} ${path}?${query}`);
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html */
function bedrockRights({ method, path, body }: RecordedCall): RequiredRight[] {
  const invoked = /^\/model\/([^/]+)\/(?:invoke|converse)$/.exec(path);
  if (invoked !== null) {
    return modelResources(decodeURIComponent(invoked[1] ?? '')).map((resource) => ({
      action: 'bedrock:InvokeModel',
      resource,
    }));
  }
  if (method === 'POST' && path === '/model-invocation-job') {
    const { modelId, roleArn, tags } = JSON.parse(body) as {
      modelId: string;
      roleArn: string;
      tags?: unknown[];
    };
    return [
      ...[...modelResources(modelId), `${JOBS}/abcdefghijkl`].map((resource) => ({
        action: 'bedrock:CreateModelInvocationJob',
        resource,
      })),
      ...(tags?.length ? [{ action: 'bedrock:TagResource', resource: `${JOBS}/abcdefghijkl` }] : []),
      {
        action: 'iam:PassRole',
        resource: roleArn,
        context: { 'iam:PassedToService': 'bedrock.amazonaws.com' },
      },
    ];
  }
  if (method === 'GET' && path === '/model-invocation-jobs') {
    return [{ action: 'bedrock:ListModelInvocationJobs', resource: '*' }];
  }
  const job = /^\/model-invocation-job\/([^/]+)$/.exec(path);
  if (method === 'GET' && job !== null) {
    return [{ action: 'bedrock:GetModelInvocationJob', resource: decodeURIComponent(job[1] ?? '') }];
  }
  const stopped = /^\/model-invocation-job\/([^/]+)\/stop$/.exec(path);
  if (method === 'POST' && stopped !== null) {
    return [{ action: 'bedrock:StopModelInvocationJob', resource: decodeURIComponent(stopped[1] ?? '') }];
  }
  if (method === 'POST' && path === '/listTagsForResource') {
    const { resourceARN } = JSON.parse(body) as { resourceARN: string };
    return [{ action: 'bedrock:ListTagsForResource', resource: resourceARN }];
  }
  throw new Error(`Nobody knows which right this call needs: ${method} ${path}`);
}

/** A profile needs rights on itself and on its model, wherever the request may go. */
function modelResources(modelId: string): string[] {
  const profile = /^(?:us|eu|apac|global)\.(.+)$/.exec(modelId);
  if (profile === null) return [`arn:aws:bedrock:${REGION}::foundation-model/${modelId}`];
  return [
    `arn:aws:bedrock:${REGION}:${MOTO_ACCOUNT}:inference-profile/${modelId}`,
    ...[REGION, 'us-west-2'].map((region) => `arn:aws:bedrock:${region}::foundation-model/${profile[1]}`),
  ];
}
