"""The compose files and Dockerfiles agree with the code: commands, paths, ports, settings, times."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from camera_ctrler.__main__ import main as controller_main
from model_store.manifest import load_manifest
from runtime.settings import ControllerSettings, ReidSettings, WorkerSettings, known_names
from runtime.version import VERSION

PROJECT = Path(__file__).resolve().parents[2]
DEPLOY = PROJECT / "docker-compose-deploy.yaml"
REDIS = PROJECT / "docker-compose-redis.yaml"
DOCKERFILES = sorted((PROJECT / "deploy").glob("Dockerfile.*"))
DOCUMENTS = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").rglob("*.md"))]
#: `up` waits for these to end; all others run until they are stopped.
ONE_SHOT = {"redis-ready", "models", "models-reid", "models-gpu"}
SECRETS = {"FARM_REDIS_PASSWORD": "a-password", "FARM_SECRET_KEY": "a-key"}


def services(path: Path) -> dict[str, dict[str, Any]]:
    """Return the services of a compose file, variables not filled in."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["services"]
    return found


def all_services() -> dict[str, dict[str, Any]]:
    """Return the services of both files."""
    return services(DEPLOY) | services(REDIS)


def default_of(text: str) -> str:
    """Return `text` with every ``${NAME:-default}`` replaced by its default."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(text))


def seconds(duration: str) -> float:
    """Return a duration such as ``60s`` in seconds."""
    match = re.fullmatch(r"(\d+)s", default_of(duration))
    assert match, duration
    return float(match[1])


def our_services() -> dict[str, dict[str, Any]]:
    """Return the services that run CamFarm's own programs."""
    return {name: service for name, service in services(DEPLOY).items() if "build" in service}


def python_commands() -> list[list[str]]:
    """Return every ``python -m ...`` that a compose file or a Dockerfile runs, without ``python -m``."""
    commands = [service["command"] for service in our_services().values()]
    commands += [service["healthcheck"]["test"][1:] for service in our_services().values() if "healthcheck" in service]
    for path in DOCKERFILES:
        commands += [yaml.safe_load(line) for line in re.findall(r"^CMD (\[.*\])$", path.read_text(), re.MULTILINE)]
    return [[default_of(word) for word in command[2:]] for command in commands if command[:2] == ["python", "-m"]]


def copied_sources(dockerfile: Path) -> list[str]:
    """Return what a Dockerfile copies from the checkout, other than between its stages."""
    copies = [line.split()[1:] for line in dockerfile.read_text().splitlines() if line.startswith("COPY ")]
    return [word for copy in copies if not copy[0].startswith("--from") for word in copy[:-1]]


@pytest.fixture(scope="module")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the CPU image has in its working directory, and nothing else of the checkout."""
    folder = tmp_path_factory.mktemp("image")
    for source in copied_sources(PROJECT / "deploy/Dockerfile.cpu"):
        target = folder / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, target, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(PROJECT / source, target)
    return folder


@pytest.mark.parametrize("command", python_commands(), ids=" ".join)
def test_every_command_works_in_the_image_and_knows_its_options(command: list[str], image_folder: Path) -> None:
    """Given only what the image has, when a command's help is asked for, then it is there and knows the options."""
    words = [word for word in command[1:] if not word.startswith("-") and not word.isdigit()][:2]
    answer = subprocess.run(
        [sys.executable, "-m", command[0], *words, "--help"],
        cwd=image_folder,
        env={**os.environ, "PYTHONPATH": "", "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    for option in (word for word in command if word.startswith("--")):
        assert option in answer.stdout


def test_the_commands_of_the_deployment_were_found() -> None:
    """Given the files, then controller, workers, their check, models and the wait for Redis are among the commands."""
    modules = {command[0] for command in python_commands()}
    assert modules == {"camera_ctrler", "workers", "reid", "cli", "deploy.wait_for_redis"}
    assert ["workers", "--check"] in python_commands()
    assert ["reid", "--check"] in python_commands()
    assert callable(controller_main)


@pytest.mark.parametrize(
    "path", [DEPLOY, REDIS, *DOCKERFILES, *DOCUMENTS], ids=lambda path: str(path.relative_to(PROJECT))
)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    """Given a file that names settings, then the programs know each of them."""
    named = set(re.findall(r"(?<![A-Z_])FARM_[A-Z][A-Z0-9_]*[A-Z0-9]", path.read_text()))
    assert named <= known_names()


def test_variables_of_the_compose_files_cannot_be_taken_for_settings_and_are_documented() -> None:
    """Given the variables that only the compose files read, then operations.md explains each, and no other."""
    named = set(re.findall(r"\$\{(\w+)", DEPLOY.read_text() + REDIS.read_text()))
    own = {name for name in named if not name.startswith("FARM_")}
    assert own
    assert all(name.startswith("CAMFARM_") for name in own)
    documented = set(re.findall(r"CAMFARM_[A-Z_]*[A-Z]", (PROJECT / "docs/operations.md").read_text()))
    assert documented == own


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_everything_that_an_image_copies_exists_and_is_let_in(dockerfile: Path) -> None:
    """Given a Dockerfile, then each source of COPY is in the tree and .dockerignore lets it through."""
    ignored = (PROJECT / ".dockerignore").read_text().split("\n")
    assert "*" in ignored
    sources = copied_sources(dockerfile)
    assert {"contract", "runtime", "workers", "reid", "camera_ctrler", "requirements.txt"} <= set(sources)
    for source in sources:
        assert (PROJECT / source).exists(), source
        assert f"!{source}" in ignored, source


def test_no_secret_and_no_footage_gets_into_an_image() -> None:
    """Given the list of what is let in, then .env, .farm, frames and .git are not on it."""
    let_in = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert not let_in & {".env", ".farm", "frames", ".git", "."}


def test_both_images_carry_the_same_program() -> None:
    """Given the two Dockerfiles, then they copy the same sources and make the same user and folders."""
    cpu, gpu = (path.read_text().splitlines() for path in DOCKERFILES)
    same = [line for line in cpu if line.startswith(("COPY ", "    && install", "        /var", "USER ", "WORKDIR "))]
    assert len(same) > 10
    assert [line for line in same if line not in gpu] == ["COPY requirements.txt ./"]


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_the_lock_is_installed_whole_and_with_hashes(dockerfile: Path) -> None:
    """Given a Dockerfile, then pip may install nothing that the lock does not name, nor from another source."""
    assert "install --no-deps --require-hashes -r requirements.txt" in dockerfile.read_text()
    assert "--no-deps --require-hashes -r requirements.txt" in (PROJECT / "requirements.txt").read_text()


def test_every_image_has_a_version() -> None:
    """Given all images that are named, then each has a tag, and none is `latest`."""
    images = [default_of(service["image"]) for service in all_services().values()]
    for path in DOCKERFILES:
        images += re.findall(r"^(?:ARG (?:PYTHON|NODE)_IMAGE=|FROM )([^$\s]+)", path.read_text(), re.MULTILINE)
    assert len(images) > 5
    for image in images:
        assert re.fullmatch(r"[a-z0-9/-]+:\d[\w.-]*", image), image
    own = {default_of(service["image"]) for service in our_services().values()}
    assert own == {f"camfarm:{VERSION}", f"camfarm-gpu:{VERSION}"}


def test_the_controller_listens_where_the_port_is_published_and_only_loopback_sees_it() -> None:
    """Given the controller, then container port, default port and health check agree, and the host side is private."""
    controller = services(DEPLOY)["controller"]
    port = ControllerSettings.model_fields["api_port"].default
    assert [default_of(entry) for entry in controller["ports"]] == [f"127.0.0.1:{port}:{port}"]
    assert controller["environment"]["FARM_API_PORT"] == str(port)
    assert controller["environment"]["FARM_API_HOST"] == "0.0.0.0"  # noqa: S104 - inside the container only
    assert f"http://127.0.0.1:{port}/readyz" in controller["healthcheck"]["test"][-1]
    publishing = {name for name, service in services(DEPLOY).items() if "ports" in service}
    assert publishing == {"controller", "proxy"}


def test_the_health_check_works_over_tls_too() -> None:
    """Given the controller's health check, then it compiles, and asks by TLS where there is a certificate."""
    kind, program, option, text = services(DEPLOY)["controller"]["healthcheck"]["test"]
    assert (kind, program, option) == ("CMD", "python", "-c")
    compile(text, "healthcheck", "exec")
    assert 'if os.environ.get("FARM_TLS_CERT")' in text


def test_a_proxy_with_tls_starts_only_when_asked_for_and_only_loopback_sees_it_by_default() -> None:
    """Given the proxy, then it is in a profile, passes on to the controller, keeps certificates, is private."""
    found = services(DEPLOY)
    proxy = found["proxy"]
    port = found["controller"]["environment"]["FARM_API_PORT"]
    assert proxy["profiles"] == ["proxy"]
    command = [default_of(word) for word in proxy["command"]]
    assert command == ["caddy", "reverse-proxy", "--from", "localhost", "--to", f"controller:{port}"]
    assert [default_of(entry) for entry in proxy["ports"]] == ["127.0.0.1:80:80", "127.0.0.1:443:443"]
    assert proxy["volumes"] == ["proxy-data:/data"]
    assert (proxy["cap_drop"], proxy["cap_add"], proxy["read_only"]) == (["ALL"], ["NET_BIND_SERVICE"], True)
    # What it says of others must be believed, or limits would count everybody behind it as one.
    documents = (PROJECT / "docs/operations.md").read_text()
    networks = re.findall(r"^FARM_TRUSTED_PROXIES=(\S+)", documents, re.MULTILINE)
    assert networks
    assert all(ControllerSettings(trusted_proxies=network).proxy_networks for network in networks)


def test_the_path_of_the_health_check_is_one_that_the_api_serves() -> None:
    """Given the API's sources, then one of its routes is /readyz."""
    sources = "".join(path.read_text() for path in (PROJECT / "camera_ctrler/api").rglob("*.py"))
    assert re.search(r"""["']/readyz["']""", sources)


def test_paths_in_the_containers_are_made_by_the_images_and_kept_on_volumes() -> None:
    """Given the folders that the settings name, then the images make them and every program that writes has them."""
    for dockerfile in DOCKERFILES:
        made = set(re.findall(r"/var/lib/camfarm/\w+", dockerfile.read_text()))
        for name, service in our_services().items():
            environment = service["environment"]
            folders = {environment[f"FARM_{kind}_DIR"] for kind in ("DATA", "FRAMES", "MODELS", "SPOOL")}
            assert folders == made, name
            mounted = {default_of(volume).split(":")[1] for volume in service.get("volumes", [])}
            assert mounted <= folders | {"/tmp"}, name  # noqa: S108 - a mount point
    found = our_services()
    frames = "frames:/var/lib/camfarm/frames"
    for name in ("controller", "manager", "worker", "worker-gpu", "reid"):
        assert frames in [default_of(volume) for volume in found[name]["volumes"]]
    for name in ("worker", "worker-gpu"):  # else nothing could be kept while Redis is away: the root is read-only
        assert "spool:/var/lib/camfarm/spool" in found[name]["volumes"]
    for name in ("controller", "manager", "reid"):  # with SQLite all must see the same file
        assert "data:/var/lib/camfarm/data" in found[name]["volumes"]


def test_a_second_manager_starts_only_when_asked_for_and_publishes_no_port() -> None:
    """Given the standby manager, then it is in a profile, is a manager alone, and shares the controller's database."""
    found = our_services()
    manager = found["manager"]
    assert manager["profiles"] == ["standby"]
    assert manager["command"] == ["python", "-m", "camera_ctrler", "--only", "manager"]
    assert "ports" not in manager
    assert manager["environment"]["FARM_DATABASE_URL"] == found["controller"]["environment"]["FARM_DATABASE_URL"]


def test_workers_with_a_gpu_say_so_by_label() -> None:
    """Given CPU and GPU workers, then the default label of the latter can be required, and the former have none."""
    labels = {name: our_services()[name]["environment"]["FARM_WORKER_LABELS"] for name in ("worker", "worker-gpu")}
    assert {name: default_of(text) for name, text in labels.items()} == {"worker": "", "worker-gpu": "gpu"}
    assert WorkerSettings(worker_labels=default_of(labels["worker-gpu"])).labels == ["gpu"]


def test_every_program_has_a_place_for_temporary_files() -> None:
    """Given a read-only root, then /tmp is memory, and for the controller, which keeps clips there, a volume."""
    for name, service in our_services().items():
        on_volume = any(volume.endswith(":/tmp") for volume in service.get("volumes", []))
        in_memory = any(entry.startswith("/tmp:") for entry in service["tmpfs"])  # noqa: S108 - a mount point
        assert (on_volume, in_memory) == (name == "controller", name != "controller"), name


def test_programs_have_a_lease_on_life_and_time_to_end() -> None:
    """Given every service that stays, then it has a health check, an init, a restart policy and bounded logs."""
    for name, service in all_services().items():
        assert service["init"] is True, name
        assert service["restart"] == ("no" if name in ONE_SHOT else "unless-stopped"), name
        assert ("healthcheck" in service) is (name not in ONE_SHOT), name
        assert service["logging"]["options"]["max-size"], name


def test_a_worker_may_take_longer_to_stop_than_it_drains() -> None:
    """Given the default drain time and the third of it for what is left, then Docker kills a worker only later."""
    drain = float(WorkerSettings.model_fields["drain_seconds"].default)
    for name in ("worker", "worker-gpu"):
        assert seconds(services(DEPLOY)[name]["stop_grace_period"]) > drain * 4 / 3 + 10


def test_reid_workers_can_be_scaled_share_the_database_and_finish_their_batch() -> None:
    """Given the ReID workers, then they are as many as wanted, see what the controller stores, and end in order."""
    found = our_services()
    reid = found["reid"]
    assert not {"ports", "container_name", "hostname"} & reid.keys()
    assert int(default_of(reid["deploy"]["replicas"])) >= 1
    assert reid["environment"]["FARM_DATABASE_URL"] == found["controller"]["environment"]["FARM_DATABASE_URL"]
    assert seconds(reid["stop_grace_period"]) > ReidSettings.model_fields["reid_timeout_seconds"].default
    name = default_of(reid["environment"]["FARM_REID_MODEL"])
    assert default_of(found["models-reid"]["command"][-1]) == name == ReidSettings.model_fields["reid_model"].default
    assert load_manifest().model(name).format in {"onnx", "openvino"}


def test_our_programs_run_without_rights() -> None:
    """Given our containers, then the root file system is read-only, no capability is left and the user is not root."""
    for service in our_services().values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    for dockerfile in DOCKERFILES:
        assert re.findall(r"^USER (\w+)$", dockerfile.read_text(), re.MULTILINE) == ["camfarm"]


def test_workers_can_be_scaled() -> None:
    """Given the workers, then they publish no port, have no fixed name or id, and a count."""
    for name in ("worker", "worker-gpu"):
        service = services(DEPLOY)[name]
        assert not {"ports", "container_name", "hostname"} & service.keys()
        assert service["environment"]["FARM_WORKER_ID"] == ""
        assert int(default_of(service["deploy"]["replicas"])) >= 1


def test_gpu_workers_start_only_when_asked_for_and_reserve_a_device() -> None:
    """Given the GPU worker, then it is in a profile and asks for one NVIDIA device."""
    service = services(DEPLOY)["worker-gpu"]
    assert service["profiles"] == ["gpu"]
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert service["build"]["dockerfile"] == "deploy/Dockerfile.gpu"
    assert service["environment"]["FARM_DEVICE"] == "cuda"


def test_the_models_that_are_fetched_are_in_the_manifest_and_fit_their_workers() -> None:
    """Given the models of both kinds of workers, then CPU workers get one without torch and GPU workers one for it."""
    manifest = load_manifest()
    for worker, models, wanted in (("worker", "models", {"onnx", "openvino"}), ("worker-gpu", "models-gpu", {"pt"})):
        name = default_of(services(DEPLOY)[worker]["environment"]["FARM_MODEL"])
        assert default_of(services(DEPLOY)[models]["command"][-1]) == name
        assert manifest.model(name).format in wanted


def test_nothing_starts_before_redis_answers_and_the_model_is_there() -> None:
    """Given the programs, then they wait for the one-shot services, and those for nothing in the other file."""
    found = services(DEPLOY)
    done = {"condition": "service_completed_successfully"}
    assert found["worker"]["depends_on"] == {"redis-ready": done, "models": done}
    assert found["reid"]["depends_on"].items() >= {"redis-ready": done, "models-reid": done}.items()
    assert found["worker-gpu"]["depends_on"] == {"redis-ready": done, "models-gpu": done}
    assert found["controller"]["depends_on"]["redis-ready"] == done
    named = {name for service in found.values() for name in service.get("depends_on", {})}
    assert named <= found.keys()


@pytest.mark.parametrize("path", [DEPLOY, REDIS], ids=lambda path: path.name)
def test_a_compose_file_follows_the_compose_specification(path: Path) -> None:
    """Given a compose file, then the published schema accepts it."""
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def compose_command() -> list[str]:
    """Return Docker Compose 2.24 or newer, or skip the test that asks."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) is None:
            continue
        answer = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
        version = re.match(r"v?(\d+)\.(\d+)", answer.stdout.strip())
        if answer.returncode == 0 and version and (int(version[1]), int(version[2])) >= (2, 24):
            return command
    pytest.skip("Docker Compose 2.24 or newer is not installed")


def compose_config(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``docker compose ... config``; needs no engine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FARM_", "CAMFARM_"))}
    command = [*compose_command(), "--env-file", os.devnull, *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=kept | environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_both_files_together_are_one_project_that_compose_accepts() -> None:
    """Given both files and the two secrets, then Compose makes one project with Redis in it."""
    files = ["-f", DEPLOY.name, "-f", REDIS.name]
    answer = compose_config(*files, "config", environment=SECRETS)
    assert answer.returncode == 0, answer.stderr
    project = yaml.safe_load(answer.stdout)
    assert project["name"] == "camfarm"
    assert set(project["services"]) == {
        "controller",
        "worker",
        "reid",
        "models",
        "models-reid",
        "redis",
        "redis-ready",
    }
    assert project["services"]["worker"]["deploy"]["replicas"] == 2
    assert project["services"]["worker"]["environment"]["FARM_REDIS_PASSWORD"] == "a-password"  # noqa: S105 - made up


def test_the_deploy_file_works_alone_with_a_redis_elsewhere() -> None:
    """Given only the first file and a URL, then the programs get that URL and there is no Redis in the project."""
    url = "rediss://redis.example.org:6380/0"
    environment = SECRETS | {"FARM_REDIS_URL": url}
    answer = compose_config(
        "-f", DEPLOY.name, "--profile", "gpu", "--profile", "postgres", "config", environment=environment
    )
    assert answer.returncode == 0, answer.stderr
    project = yaml.safe_load(answer.stdout)["services"]
    assert set(project) == services(DEPLOY).keys()
    assert {project[name]["environment"]["FARM_REDIS_URL"] for name in our_services()} == {url}


@pytest.mark.parametrize("missing", SECRETS)
def test_without_a_secret_compose_says_which_one_is_missing(missing: str) -> None:
    """Given one secret is not set, when Compose reads the files, then it refuses and names it with the remedy."""
    environment = {name: value for name, value in SECRETS.items() if name != missing}
    answer = compose_config("-f", DEPLOY.name, "-f", REDIS.name, "config", environment=environment)
    assert answer.returncode != 0
    assert missing in answer.stderr
    assert "set it in .env" in answer.stderr


def test_redis_and_the_secret_key_are_required_in_the_files_themselves() -> None:
    """Given no Compose at hand, then the files still say that both secrets must be set."""
    redis = services(REDIS)["redis"]
    assert redis["environment"]["REDISCLI_AUTH"].startswith("${FARM_REDIS_PASSWORD:?set it in .env")
    for service in our_services().values():
        assert service["environment"]["FARM_SECRET_KEY"].startswith("${FARM_SECRET_KEY:?set it in .env")
    assert [default_of(entry) for entry in redis["ports"]] == ["127.0.0.1:6379:6379"]
