// In words that every Node reads, since an old one must get as far as the message.
const needed = require('../package.json').engines.node.replace('>=', '').split('.').map(Number);
const here = process.versions.node.split('.').map(Number);
const isOld = here[0] < needed[0] || (here[0] === needed[0] && here[1] < needed[1]);

/** Why this Node does not do; undefined where it does. */
module.exports = isOld
  ? `Quarry needs Node ${needed.join('.')} or later, and this is Node ${process.versions.node}.`
  : undefined;
