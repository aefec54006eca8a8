#!/usr/bin/env bash
# The image of a release, made once, before the gate: from the artefact that `assemble` left in a folder,
# into the folder `image` beside it, as the manifests and blobs that are pushed later, byte for byte.
#   build/release/image.sh RELEASE
# BASE: another base image than the Dockerfile's. PLATFORMS: like linux/amd64,linux/arm64; default: this one.
set -euo pipefail

release=$(realpath "$1")
cd "$(dirname "$0")/../.."
read -r version commit < <(python3 -c '
import json, sys
plan = json.load(open(sys.argv[1]))
print(plan["version"], plan["commit"])' "$release/release.json")
built=$(git log -1 --format=%ct "$commit")
name=localhost/waiaas-release:$version

case ${PLATFORMS:-} in
*arm64*) command -v qemu-aarch64-static >/dev/null || sudo apt-get -qq -y install qemu-user-static >/dev/null ;;
esac

forget() { # the list and the images in it; nothing of it is needed once it lies in the folder
  buildah manifest rm "$name" >/dev/null 2>&1 || true
  buildah images --quiet --filter dangling=true --filter "label=org.opencontainers.image.revision=$commit" |
    xargs -r buildah rmi -f >/dev/null 2>&1 || true
}

scratch=$(mktemp -d)
trap 'forget; rm -rf "$scratch"' EXIT
forget
mkdir "$scratch/dist"
cp "$release/waiaas-$version.pyz" "$scratch/dist/"
buildah bud --quiet --isolation chroot --format docker --timestamp "$built" --manifest "$name" \
  ${BASE:+--build-arg "BASE=$BASE"} ${PLATFORMS:+--platform "$PLATFORMS"} \
  --build-arg "VERSION=$version" --build-arg "REVISION=$commit" --build-arg "SOURCE=${SOURCE:-}" \
  --build-arg "CREATED=$(date -u -d "@$built" +%Y-%m-%dT%H:%M:%SZ)" \
  --file Dockerfile "$scratch" >/dev/null
buildah manifest push --quiet --all --format v2s2 "$name" "dir:$scratch/image" >/dev/null
rm -rf "$release/image"
skopeo copy --quiet --all --dest-compress "dir:$scratch/image" "dir:$release/image"
sha256sum "$release/image/manifest.json"
