import { REGION } from './moto.ts';

/** What `cdk bootstrap` leaves, which the template asks for. */
export async function putBootstrapVersion(url: string): Promise<void> {
  await fetch(url, {
    method: 'POST',
    headers: {
      'x-amz-target': 'AmazonSSM.PutParameter',
      'content-type': 'application/x-amz-json-1.1',
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/ssm/aws4_request, SignedHeaders=host, Signature=x`,
    },
    body: JSON.stringify({ Name: '/cdk-bootstrap/hnb659fds/version', Value: '21', Type: 'String' }),
  });
}
