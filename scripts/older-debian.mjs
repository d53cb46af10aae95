// Downloads a package that only an earlier Debian has, through a private apt: the machine's own sources stay as they are.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const sourcesFolder = '/etc/apt/sources.list.d';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The mirror that the machine's own sources name for Debian; of both formats (sources.list(5)). */
function mirror() {
  const inFolder = existsSync(sourcesFolder) ? readdirSync(sourcesFolder).sort() : [];
  const files = ['/etc/apt/sources.list', ...inFolder.map((name) => path.join(sourcesFolder, name))];
  for (const file of files.filter((name) => existsSync(name))) {
    const text = readFileSync(file, 'utf8');
    const found = text.match(/^(?:URIs:|deb (?:\[[^\]]*\] )?)\s*(https?:\/\/\S+\/debian)\/?(?:\s|$)/m);
    if (found) return found[1];
  }
  throw new Error('no Debian mirror is named in /etc/apt');
}

/** Leaves the .deb in `folder`. */
export function downloadFrom(suite, name, folder, run) {
  const apt = path.join(folder, `apt-${suite}`);
  for (const each of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(path.join(apt, each), { recursive: true });
  writeFileSync(path.join(apt, 'sources.list'), `deb [signed-by=${keyring}] ${mirror()} ${suite} main\n`);
  const settings = {
    'Dir::State': apt,
    'Dir::State::lists': path.join(apt, 'lists'),
    'Dir::Cache': path.join(apt, 'cache'),
    'Dir::Etc::sourcelist': path.join(apt, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  run('apt-get', [...options, 'update', '-qq']);
  run('apt-get', [...options, 'download', '-qq', name], { cwd: folder });
  rmSync(apt, { recursive: true, force: true });
}
