#!/usr/bin/env bash
# Checks what belongs to the container without a container engine: run.sh. Lints Dockerfile and scripts, holds compose.yaml and the Kubernetes
# files against their schemas, and all of them against the configuration and each other (check.py).
#
# With an engine, "run.sh image" builds the image as well (15 minutes and more) and runs the demo in it; ENGINE names one, such as podman.
#
# Installs the tools from PyPI into ${COSTEER_VENVS:-~/.cache/costeer}/container, at the versions of requirements.txt (once, 0.2 GB). Needs
# Python 3.11 or newer with venv.
set -euo pipefail

if [ $# -gt 1 ] || [ "${1:-image}" != image ]; then
    echo "usage: $0 [image]" >&2
    exit 2
fi
# shellcheck source=tests/lib.sh
source "$(dirname "$0")/../lib.sh"
begin container
venv=$cache/container
cd "$root"
here=tests/container
# The versions that have native sidecars, up to the newest that kubernetes-validate knows.
kubernetes_versions=(1.29 1.30 1.31 1.32 1.33 1.34 1.35 1.36 1.37)
scripts=(.ci/run deploy/*.sh eval/*.sh eval/tests/*.sh tests/*.sh tests/*/*.sh training/*.sh)

# Runs a check that must fail: one that accepts anything is worth nothing.
refuses() {
    if "$@" > "$scratch/said" 2>&1; then
        echo "this should have failed: $*" >&2
        return 1
    fi
}

lint_scripts() {
    local script
    for script in "${scripts[@]}"; do
        bash -n "$script"
    done
    "$venv/bin/shellcheck" "${scripts[@]}"
}

lint_dockerfile() {
    "$venv/bin/hadolint" Dockerfile
    sed 's/^USER .*/USER root/' Dockerfile > "$scratch/Dockerfile"
    refuses "$venv/bin/hadolint" "$scratch/Dockerfile"
}

lint_yaml() {
    "$venv/bin/yamllint" --strict --config-file $here/yamllint.yaml compose.yaml deploy $here
}

fits_compose() {
    "$venv/bin/check-jsonschema" --builtin-schema vendor.compose-spec "$@"
}

validate_compose() {
    fits_compose compose.yaml
    sed 's/start_period:/start_periods:/' compose.yaml > "$scratch/compose.yaml"
    refuses fits_compose "$scratch/compose.yaml"
}

fits_kubernetes() {
    local version
    for version in "${kubernetes_versions[@]}"; do
        "$venv/bin/kubernetes-validate" --strict --quiet --kubernetes-version "$version" "$@"
    done
}

validate_kubernetes() {
    fits_kubernetes deploy/kubernetes/*.yaml
    sed 's/startupProbe:/startUpProbe:/' deploy/kubernetes/sidecar.yaml > "$scratch/sidecar.yaml"
    refuses fits_kubernetes "$scratch/sidecar.yaml"
    # Before native sidecars there was no such field, so this also shows that the file uses them.
    refuses "$venv/bin/kubernetes-validate" --strict --kubernetes-version 1.27 deploy/kubernetes/sidecar.yaml
}

engine() {
    local name
    for name in ${ENGINE:-docker podman}; do
        if "$name" info > /dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    echo "no container engine answers, so the image cannot be built; deploy/build.sh and tests/container/bare.sh work without one" >&2
    return 1
}

# As compose.yaml runs it, and without a network: nothing may be fetched.
build_image() {
    local engine
    engine=$(engine)
    "$engine" build --tag costeer:test .
    "$engine" run --rm --read-only --cap-drop ALL --security-opt no-new-privileges --network none costeer:test demo --once
}

step "installing" once_venv "$venv" $here/requirements.txt
step "scripts" lint_scripts
step "Dockerfile" lint_dockerfile
step "YAML" lint_yaml
step "Compose schema" validate_compose
step "Kubernetes schemas ${kubernetes_versions[0]} to ${kubernetes_versions[-1]}" validate_kubernetes
step "consistency" "$venv/bin/python" $here/check.py
if [ "${1:-}" = image ]; then
    step "image" build_image
fi
