// What the real release-please would propose for local git repositories, with no network at all.
//
//   node propose.cjs NODE_MODULES CASES PROPOSALS
// CASES:     [{"repository": "/path", "releases": [{"tag": "v1.8.0", "sha": "…"}]}, …]
// PROPOSALS: [null | {"version", "title", "branch", "body", "files": {"path": "content"}}, …]
'use strict';
const fs = require('fs');
const [tools, from, to] = process.argv.slice(2);
const {Manifest} = require(`${tools}/release-please`);
const {LocalGitHub} = require(`${tools}/release-please/build/src/local-github`);

const quiet = Object.fromEntries(
  ['error', 'warn', 'info', 'debug', 'trace'].map(level => [level, () => {}]));

async function propose({repository, releases}) {
  const github = {
    async *releaseIterator() {
      for (const {tag, sha} of releases) yield {id: 1, tagName: tag, sha, notes: '', url: 'none'};
    },
    async *pullRequestIterator() {},
    async *tagIterator() {},
  };
  const where = {owner: 'example', repo: 'waiaas', defaultBranch: 'main'};
  const local = new LocalGitHub(where, github, repository, {logger: quiet});
  const manifest = await Manifest.fromManifest(local, 'main', undefined, undefined, {logger: quiet});
  const [proposed, ...more] = await manifest.buildPullRequests();
  if (more.length) throw new Error('more than one release pull request');
  if (!proposed) return null;
  const changes = await local.buildChangeSet(proposed.updates, 'main');
  return {
    version: proposed.version.toString(),
    title: proposed.title.toString(),
    branch: proposed.headRefName,
    body: proposed.body.toString(),
    files: Object.fromEntries([...changes].map(([path, {content}]) => [path, content])),
  };
}

async function main() {
  const cases = JSON.parse(fs.readFileSync(from, 'utf-8'));
  const proposals = [];
  for (const one of cases) proposals.push(await propose(one));
  fs.writeFileSync(to, JSON.stringify(proposals));
}

main().catch(problem => {
  console.error(problem);
  process.exit(1);
});
