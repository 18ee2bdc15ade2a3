"""Holds the container's files against the configuration, the sources and each other. Run by run.sh."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SIDECAR = "deploy/kubernetes/sidecar.yaml"


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def known_keys():
    """Every key of the configuration, those that are commented out included, as section.key."""
    text = re.sub(r"^# (\w+ = )", r"\1", read("config/default.toml"), flags=re.MULTILINE)
    return {f"{section}.{key}": value for section, keys in tomllib.loads(text).items() for key, value in keys.items()}


def instructions():
    """The Dockerfile's instructions as (name, rest), continued lines joined."""
    lines = [line for line in read("Dockerfile").splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines()]


def stages():
    """The Dockerfile's stages: lists of instructions that begin with FROM."""
    found = []
    for instruction in instructions():
        if instruction[0] == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def values(stage, name):
    return [rest for found, rest in stage if found == name]


def environment(stage):
    return dict(pair.split("=", 1) for rest in values(stage, "ENV") for pair in shlex.split(rest))


def copied(stage):
    """What a stage copies from the repository."""
    return [source for rest in values(stage, "COPY") if not rest.startswith("--from") for source in rest.split()[:-1]]


def compose():
    return yaml.safe_load(read("compose.yaml"))["services"]


def kubernetes():
    """The configuration and the pod of the sidecar example."""
    documents = {document["kind"]: document for document in yaml.safe_load_all(read(SIDECAR))}
    pod = documents["Deployment"]["spec"]["template"]["spec"]
    return tomllib.loads(documents["ConfigMap"]["data"]["costeer.toml"]), pod


def seconds(duration):
    """A Compose duration such as 20s or 1m30s."""
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([hms])", duration))


def same(what, *found):
    assert len(set(map(str, found))) == 1, f"{what} differ: {', '.join(map(str, found))}"


def variables_name_settings():
    files = ["Dockerfile", "compose.yaml", *(path for path in (ROOT / "deploy").rglob("*") if path.is_file())]
    unknown = [
        f"{name} in {Path(file).name}"
        for file in files
        for name in re.findall(r"COSTEER__\w+", read(file))
        if name.removeprefix("COSTEER__").lower().replace("__", ".", 1) not in known_keys()
    ]
    assert not unknown, f"config/default.toml has no such key: {', '.join(unknown)}"


def configmap_names_settings():
    settings, _ = kubernetes()
    unknown = [f"{section}.{key}" for section in settings for key in settings[section]]
    unknown = [key for key in unknown if key not in known_keys()]
    assert not unknown, f"config/default.toml has no such key: {', '.join(unknown)}"


def ports_agree():
    runtime = stages()[-1]
    _, pod = kubernetes()
    sidecar, application = pod["initContainers"][0], pod["containers"][0]
    base_url = {entry["name"]: entry.get("value") for entry in application["env"]}["OPENAI_BASE_URL"]
    host, published, inside = compose()["costeer"]["ports"][0].split(":")
    port = known_keys()["server.listen"].split(":")[1]
    same("ports", port, inside, published, *values(runtime, "EXPOSE"), sidecar["ports"][0]["containerPort"])
    same("listening addresses", environment(runtime)["COSTEER__SERVER__LISTEN"], f"0.0.0.0:{port}")
    same("the application's addresses", base_url, f"http://127.0.0.1:{port}/v1")
    same("where the port is published", host, "127.0.0.1")


def answers_get_time_to_end():
    settings, pod = kubernetes()
    default = known_keys()["server.drain_ms"]
    drain = settings["server"].get("drain_ms", default) / 1000
    assert pod["terminationGracePeriodSeconds"] > drain, "the pod is killed before server.drain_ms is over"
    assert seconds(compose()["costeer"]["stop_grace_period"]) > default / 1000, "Compose kills before server.drain_ms is over"


def users_agree():
    runtime = stages()[-1]
    (user,) = values(runtime, "USER")
    uid, gid = user.split(":")
    (run,) = [rest for rest in values(runtime, "RUN") if "useradd" in rest]
    _, pod = kubernetes()
    context = pod["initContainers"][0]["securityContext"]
    same("user ids", uid, context["runAsUser"], re.search(r"--uid (\d+)", run)[1])
    same("group ids", gid, context["runAsGroup"], pod["securityContext"]["fsGroup"], re.search(r"--gid (\d+)", run)[1])
    same("users", user, *(service["user"] for service in compose().values()))


def everything_is_locked_down():
    for name, service in compose().items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        writable = [volume for volume in service["volumes"] if not volume.endswith(":ro")]
        assert all(volume.endswith(f":{profiles()}") for volume in writable), f"{name} may write to {writable}"
    _, pod = kubernetes()
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    for container in pod["initContainers"] + pod["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"], container["name"]
        assert context["capabilities"]["drop"] == ["ALL"] and container["resources"]["limits"]["memory"], container["name"]


def health_is_asked_for():
    command = ["costeer", "health"]
    health = values(stages()[-1], "HEALTHCHECK")[0]
    assert yaml.safe_load(health.split("CMD", 1)[1]) == command, health
    assert compose()["costeer"]["healthcheck"]["test"] == ["CMD", *command]
    assert compose()["costeer"]["depends_on"]["llama"]["condition"] == "service_healthy"
    assert "healthcheck" in compose()["llama"]
    _, pod = kubernetes()
    sidecar = pod["initContainers"][0]
    assert sidecar["restartPolicy"] == "Always"
    paths = {probe: sidecar[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")}
    assert paths == {"livenessProbe": "/healthz", "readinessProbe": "/readyz"}, paths


def profiles():
    """The directory of the store's file in the image."""
    return str(Path(environment(stages()[-1])["COSTEER__STORE__PATH"]).parent)


def data_is_in_the_volumes():
    runtime = stages()[-1]
    (volumes,) = [rest.split() for rest in values(runtime, "VOLUME")]
    _, pod = kubernetes()
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["initContainers"][0]["volumeMounts"]}
    models = str(Path(environment(runtime)["HF_HOME"]).parent)
    same("volumes", sorted(volumes), sorted([models, profiles()]), sorted([mounts["models"], mounts["profiles"]]))
    same("model directories", models, *(service["volumes"][0].split(":")[-2] for service in compose().values()))
    assert any(volume.endswith(f":{profiles()}") for volume in compose()["costeer"]["volumes"])


def the_context_has_what_is_needed():
    rules = read(".dockerignore").split("\n")
    allowed = [rule[1:] for rule in rules if rule.startswith("!")]
    assert "*" in rules, ".dockerignore lets everything in"
    for stage in stages():
        for source in copied(stage):
            assert (ROOT / source).exists(), f"the Dockerfile copies {source}, which does not exist"
            assert any(Path(source).is_relative_to(path) for path in allowed), f".dockerignore keeps {source} out"
    sources = [ROOT / source for source in copied(stages()[0])]
    wanted = [ROOT / "Cargo.toml", ROOT / "Cargo.lock", ROOT / ".cargo/config.toml"]
    for target in tomllib.loads(read("Cargo.toml"))["bench"]:
        single, folder = ROOT / f"benches/{target['name']}.rs", ROOT / f"benches/{target['name']}/main.rs"
        wanted.append(single if single.exists() else folder)
    for file in (ROOT / "src").rglob("*.rs"):
        names = re.findall(r'include(?:_str|_bytes)?!\("([^"]+)"\)', file.read_text(encoding="utf-8"))
        wanted += [(file.parent / name).resolve() for name in names]
    for path in wanted:
        assert path.exists(), f"{path} does not exist"
        assert any(path.is_relative_to(source) for source in sources), f"the build needs {path}, which the Dockerfile does not copy"


def build_with_stub(scratch, machine, variables):
    """Runs deploy/build.sh with a cargo that only says what it was asked for. Returns that, and the folder built into."""
    tools, out = scratch / "tools", scratch / "out"
    tools.mkdir()
    # A real program, for strip to work on.
    program = shutil.which("true")
    stubs = {
        "uname": f"echo {machine}",
        "cargo": f'echo "$RUSTFLAGS|$*|$PWD" > {scratch}/said; mkdir -p "$CARGO_TARGET_DIR/release"; '
        f'cp {program} "$CARGO_TARGET_DIR/release/costeer"',
    }
    for name, body in stubs.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if key not in ("RUSTFLAGS", "TARGET_CPU", "FEATURES")}
    kept |= {"PATH": f"{tools}:{os.environ['PATH']}", "CARGO_TARGET_DIR": "some target"} | variables
    # From elsewhere, into a folder that is named from there.
    subprocess.run([ROOT / "deploy/build.sh", "out"], cwd=scratch, env=kept, check=True, stdout=subprocess.DEVNULL)
    assert (scratch / "some target/release/costeer").exists()
    assert os.access(out / "costeer", os.X_OK), "deploy/build.sh left no program"
    return (scratch / "said").read_text(encoding="utf-8").rstrip("\n").split("|")


def arguments():
    """The builder stage's arguments and their defaults."""
    return dict(argument.split("=", 1) for argument in values(stages()[0], "ARG"))


def the_image_is_built_with_features_that_exist():
    known = tomllib.loads(read("Cargo.toml"))["features"]
    unknown = [feature for feature in arguments()["FEATURES"].split(",") if feature not in known]
    assert not unknown, f"Cargo.toml has no such feature: {', '.join(unknown)}"


def the_build_script_sets_cpu_and_features():
    configured = tomllib.loads(read(".cargo/config.toml"))["target"]
    (flags,) = [" ".join(target["rustflags"]) for target in configured.values()]
    same("default CPUs", f"-C target-cpu={arguments()['TARGET_CPU']}", flags)
    plain = "build --release --locked --bin costeer"
    cases = [
        ("x86_64", {}, flags, plain),
        ("x86_64", {"TARGET_CPU": "x86-64", "FEATURES": ""}, "-C target-cpu=x86-64", plain),
        ("x86_64", {"TARGET_CPU": "x86-64-v2", "RUSTFLAGS": "-C debuginfo=1"}, "-C debuginfo=1 -C target-cpu=x86-64-v2", plain),
        ("aarch64", {"TARGET_CPU": "x86-64-v3", "FEATURES": "llamacpp,otel"}, "", f"{plain} --features llamacpp,otel"),
    ]
    for machine, variables, expected, command in cases:
        with tempfile.TemporaryDirectory() as scratch:
            found, said, folder = build_with_stub(Path(scratch), machine, variables)
        assert found == expected, f"RUSTFLAGS on {machine} with {variables}: {found!r}"
        assert said == command and folder == str(ROOT), (said, folder)


CHECKS = [
    variables_name_settings,
    configmap_names_settings,
    ports_agree,
    answers_get_time_to_end,
    users_agree,
    everything_is_locked_down,
    health_is_asked_for,
    data_is_in_the_volumes,
    the_context_has_what_is_needed,
    the_image_is_built_with_features_that_exist,
    the_build_script_sets_cpu_and_features,
]


def main():
    failed = 0
    for check in CHECKS:
        try:
            check()
        except Exception as error:  # Whatever it is, the other checks still have something to say.
            failed += 1
            print(f"{check.__name__}: {error or type(error).__name__}", file=sys.stderr)
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} consistency checks hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
