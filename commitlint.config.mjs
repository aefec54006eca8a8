// What a commit message must look like (RLSE-07): Conventional Commits, as release-please will read them.
// Its type decides the next version and the place in the changelog, so the types are release-please's.
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

const require = createRequire(import.meta.url);
const paths = ['./', './.cache/npm'].map(folder => fileURLToPath(new URL(folder, import.meta.url)));
const installed = name => require(require.resolve(name, {paths}));
const sections = require('./release-please-config.json')['changelog-sections'];
const NAMES = /^(Debian|Docker|Makefile|Podman|Prometheus|Python)/;
const silent = {debug() {}, info() {}, warn() {}, error() {}, trace() {}};

const rules = {
  'subject-begins-small': ({subject}) => [
    !/^[A-Z][a-z]/.test(subject ?? '') || NAMES.test(subject),
    'the subject must begin with a small letter, or with a name that this rule knows',
  ],
  'breaking-change-is-spelled': ({raw}) => [
    !/^breaking[ -]changes?\b/im.test(raw) || /^BREAKING[ -]CHANGE: \S/m.test(raw),
    'write `BREAKING CHANGE: what breaks`: any other spelling makes no major version',
  ],
  'release-as-is-a-version': ({raw}) => [
    !/^release-as:/im.test(raw) || /^Release-As: \d+\.\d+\.\d+(-rc\.\d+)?$/m.test(raw),
    'write `Release-As: 1.9.0`, or 1.9.0-rc.1',
  ],
  'release-please-reads-it': ({raw}) => {
    const {parseConventionalCommits} = installed('release-please/build/src/commit');
    const read = parseConventionalCommits([{sha: '', message: raw, files: []}], silent);
    return [read.length > 0, 'release-please cannot read this message, and would leave the commit out'];
  },
};

export default {
  extends: [require.resolve('@commitlint/config-conventional', {paths})],
  plugins: [{rules}],
  rules: {
    'type-enum': [2, 'always', sections.map(({type}) => type)],
    'subject-case': [0], // names stand in subjects: README, SQLite; instead: subject-begins-small
    'body-max-line-length': [0], // a body may quote what a program said
    'footer-max-line-length': [0],
    ...Object.fromEntries(Object.keys(rules).map(name => [name, [2, 'always']])),
  },
  // Merges only. git's own `Revert "…"` is not let through: release-please would not see it.
  defaultIgnores: false,
  ignores: [message => /^Merge /.test(message)],
};
