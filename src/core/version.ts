import packageJson from '../../package.json' with { type: 'json' };

/** Quarry's own version. */
export const VERSION = packageJson.version;
