"""What cannot be started without Docker or a cluster is held against schemas and rules."""

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.environment import environment
from infra.settings import PREFIX, Settings, load_settings

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "infra" / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
SECRET = re.compile(r"PASSWORD|SECRET|AUTH|KEY|_URL|_URI")


def manifests() -> Iterator[dict[str, Any]]:
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text())


def containers() -> Iterator[dict[str, Any]]:
    for manifest in manifests():
        if manifest["kind"] in ("Deployment", "Job"):
            yield from manifest["spec"]["template"]["spec"]["containers"]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with continued lines joined."""
    text = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", DOCKERFILE))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [(line.split()[0], line.split(None, 1)[1]) for line in lines]


def environment_of(service: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


@pytest.mark.parametrize("manifest", list(manifests()), ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_kubernetes_takes_every_manifest(manifest: dict[str, Any]):
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    kubernetes_validate.validate(manifest, "1.31", strict=True)


def test_kubernetes_refuses_a_manifest_with_a_wrong_word():
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    wrong = json.loads(json.dumps(next(each for each in manifests() if each["kind"] == "Deployment")))
    wrong["spec"]["replikas"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.31", strict=True)


def test_every_container_is_locked_down_and_has_limits():
    (of_runs,) = job_of_a_run("32Gi")["spec"]["template"]["spec"]["containers"]
    assert len(list(containers())) == 7
    for each in (*containers(), of_runs):
        assert each["securityContext"]["readOnlyRootFilesystem"]
        assert each["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert each["resources"]["limits"]["memory"]
        assert not each["image"].endswith(":latest")


def job_of_a_run(memory: str) -> dict[str, Any]:
    """The Job that Prefect's worker makes of a run: `{{ name }}` replaced by the default or what is asked for."""
    template = json.loads((DEPLOY / "kubernetes" / "job-template.json").read_text())
    known = {name: each["default"] for name, each in template["variables"]["properties"].items()} | {"memory": memory}

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(each) for name, each in value.items()}
        if isinstance(value, list):
            return [filled(each) for each in value]
        if not isinstance(value, str):
            return value
        whole = re.fullmatch(r"\{\{ (\w+) \}\}", value)
        return known[whole[1]] if whole else re.sub(r"\{\{ (\w+) \}\}", lambda found: str(known[found[1]]), value)

    made = filled(template["job_configuration"])
    assert made.keys() == {"job_manifest", *template["variables"]["properties"]} - {"image", "memory"}
    (container,) = made["job_manifest"]["spec"]["template"]["spec"]["containers"]
    container["args"] = container["args"].split()  # as the worker does
    env = container.pop("env")
    return {**made["job_manifest"]} if env == {} else {}


def test_the_job_of_a_run_is_one_that_kubernetes_takes():
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    job = job_of_a_run("48Gi")
    kubernetes_validate.validate(job, "1.31", strict=True)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"] == {"memory": "48Gi"}
    assert [*container["command"], *container["args"]] == ["env", "prefect", "flow-run", "execute"]
    claims = {each["metadata"]["name"] for each in manifests() if each["kind"] == "PersistentVolumeClaim"}
    volumes = job["spec"]["template"]["spec"]["volumes"]
    assert {each["persistentVolumeClaim"]["claimName"] for each in volumes if "emptyDir" not in each} <= claims


def test_docker_compose_takes_the_file(tmp_path: Path):
    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("no docker compose plugin")
    filled = re.sub(r"(?m)=$", "=filled", (DEPLOY / "env.example").read_text())
    (tmp_path / "env").write_text(filled)
    command = ["docker", "compose", "--env-file", str(tmp_path / "env"), "--file", str(DEPLOY / "compose.yaml")]
    answer = subprocess.run([*command, "config", "--quiet"], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr


def test_every_part_of_the_system_is_a_service_that_waits_for_what_it_needs():
    assert {
        "postgres",
        "s3",
        "prefect",
        "mlflow",
        "dask-scheduler",
        "dask-worker",
        "runner",
        "proxy",
    } <= SERVICES.keys()
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], f"{name} waits for the health of {other}"


def test_only_the_proxy_is_reached_from_outside():
    assert {name for name, service in SERVICES.items() if service.get("ports")} == {"proxy"}
    assert COMPOSE["networks"].keys() == {"inside"}
    guarded = (DEPLOY / "Caddyfile").read_text()
    assert guarded.count("basic_auth") == 2
    assert not SERVICES["mlflow"].get("ports")


def test_images_have_versions_and_volumes_exist():
    for name, service in SERVICES.items():
        version = service["image"].rpartition(":")[2]
        assert re.match(r"\d|0\.1\.0\}", version), name
        named = [volume.partition(":")[0] for volume in service.get("volumes", [])]
        assert {volume for volume in named if re.fullmatch(r"[a-z0-9]+", volume)} <= COMPOSE["volumes"].keys()


def test_our_processes_may_write_nowhere_but_their_volumes_and_gain_nothing():
    ours = [service for service in SERVICES.values() if "trinormal" in service["image"]]
    assert len(ours) == 6
    for service in ours:
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_no_secret_is_written_down_and_the_example_names_all_that_is_asked_for():
    text = (DEPLOY / "compose.yaml").read_text()
    asked = set(re.findall(r"\$\{([A-Z0-9_]+)", text))
    example = dict(
        line.split("=", 1) for line in (DEPLOY / "env.example").read_text().splitlines() if not line.startswith("#")
    )
    assert asked <= example.keys()
    required = set(re.findall(r"\$\{([A-Z0-9_]+):\?", text))
    assert {name for name, value in example.items() if not value} == required
    for service in SERVICES.values():
        for name, value in environment_of(service).items():
            if re.search(r"PASSWORD|SECRET|AUTH", name):
                assert value.startswith("${"), name
            if "://" in value and "@" in value:
                assert "${POSTGRES_PASSWORD" in value, name
    (secret,) = (each for each in manifests() if each["kind"] == "Secret")
    assert set(secret["stringData"].values()) == {""}


def test_all_that_our_processes_are_told_are_settings():
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    told = {name for service in SERVICES.values() for name in environment_of(service) if name.startswith(PREFIX)}
    told |= {name for each in manifests() for name in each.get("data", each.get("stringData", {})) if PREFIX in name}
    assert told - {"TRINORMAL_IMAGE"} <= known
    assert {"TRINORMAL_DASK_ADDRESS", "TRINORMAL_STORE_URL"} <= told


def test_the_settings_of_the_services_can_be_used(monkeypatch: pytest.MonkeyPatch):
    for name, value in environment_of(SERVICES["dask-worker"]).items():
        if name.startswith(PREFIX):
            plain = re.sub(r"\$\{[A-Z0-9_]+:-([^}]*)\}", r"\1", value)
            monkeypatch.setenv(name, re.sub(r"\$\{[^}]+\}", "filled", plain))
    settings = load_settings()
    assert settings.dask_address == "tcp://dask-scheduler:8786"
    assert environment(settings)["TRINORMAL_STORE_URL"] == "s3://trinormal/store"


def test_the_modules_that_are_started_are_there():
    commands = [
        " ".join(map(str, [*service.get("entrypoint", []), *service.get("command", [])]))
        for service in SERVICES.values()
    ]
    commands += [" ".join(each["command"]) for each in containers()]
    named = {name for command in commands for name in re.findall(r"(?:-m|--preload|from) ([a-z_.]+)", command)}
    assert {"tasks.worker", "flows.runner"} <= named
    assert all(find_spec(name) for name in named)


def test_the_dockerfile_follows_the_linters_rules():
    kinds = [kind for kind, _ in instructions()]
    stages = [what for kind, what in instructions() if kind == "FROM"]
    assert all(re.search(r":\d+\.\d+", stage) for stage in stages)  # DL3006, DL3007
    assert "ADD" not in kinds  # DL3020
    assert "SHELL" not in kinds
    users = [what for kind, what in instructions() if kind == "USER"]
    assert users[-1] not in ("root", "0")  # DL3002
    assert kinds.index("HEALTHCHECK") > 0
    for kind, what in instructions():
        if kind in ("CMD", "ENTRYPOINT"):
            assert json.loads(what)  # DL3025
        if kind == "WORKDIR":
            assert what.startswith("/")  # DL3000
        if kind == "RUN":
            assert "sudo" not in what  # DL3004
            if "apt-get install" in what:
                assert "--no-install-recommends" in what  # DL3015
                assert "--yes" in what  # DL3014
                assert "rm -rf /var/lib/apt/lists" in what  # DL3009
                packages = re.search(r"--no-install-recommends (.*?) &&", what)
                assert packages
                assert all("=" in name for name in packages.group(1).split())  # DL3008
            assert "pip install" not in what or "PIP_NO_CACHE_DIR=1" in DOCKERFILE  # DL3042
        if kind in ("ENV", "ARG"):
            assert not re.search(r"PASSWORD|SECRET|TOKEN", what)


def test_the_image_holds_the_packages_that_are_built():
    packages = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    copied = {what.split()[0] for kind, what in instructions() if kind == "COPY"}
    assert {name.rstrip("*") for name in packages["include"]} <= copied
    assert 'TORCH_INDEX}"' in DOCKERFILE
