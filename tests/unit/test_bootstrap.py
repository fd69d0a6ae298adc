"""What `./farm` decides before anything is installed. Pure parts; the real thing is in test_farm_command_setup.py."""

import ast
import importlib.metadata
import re
import sys
from pathlib import Path

import pytest

from cli import bootstrap, lock, pip_progress
from cli.bootstrap import groups_for, setting, verb_of
from cli.venv_maker import Group
from runtime.settings import PROJECT_DIR

LOCK_FILES = ("requirements.txt", "requirements-dev.txt", "requirements-quantise.txt", "requirements-torch.txt")
#: Top-level names of our own.
OURS = {
    *("camera_ctrler", "cli", "contract", "database", "model_store", "reid", "runtime", "workers"),
    *("tests", "benchmarks", "docs"),
}
#: Modules that only code for .pt and .engine weights imports.
TORCH_ONLY = {"torch", "torchvision", "ultralytics", "lap"}


def locked(name: str) -> dict[str, str]:
    """Return package -> version of a lock file, names as PEP 503 writes them."""
    text = (PROJECT_DIR / name).read_text()
    return {
        normal(package): version for package, version in re.findall(r"(?m)^([\w.-]+)(?:\[.*\])?==([^\s\\;]+)", text)
    }


def normal(name: str) -> str:
    """Return a package's name as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be on a machine without a GPU."""
    monkeypatch.setattr(bootstrap, "gpu_is_visible", lambda: False)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    ("arguments", "groups"),
    [
        ("demo", [Group.BASE]),
        ("--help", [Group.BASE]),
        ("status --json", [Group.BASE]),
        ("test -k gpu", [Group.BASE, Group.DEV]),
        ("lint", [Group.BASE, Group.DEV]),
        ("bench pipeline", [Group.BASE, Group.DEV]),
        ("setup", [Group.BASE]),
        ("setup --dev --torch", [Group.BASE, Group.DEV, Group.TORCH]),
        ("setup --quantise", [Group.BASE, Group.QUANTISE]),
        ("models quantise yolo11n --images frames", [Group.BASE, Group.QUANTISE]),
        ("models list", [Group.BASE]),
        ("demo --device cuda", [Group.BASE, Group.TORCH]),
        ("up --device=cuda:1", [Group.BASE, Group.TORCH]),
        ("--device cuda worker -n 2", [Group.BASE, Group.TORCH]),
        ("status --device cuda", [Group.BASE]),
    ],
)
def test_a_command_needs_certain_packages(arguments: str, groups: list[Group]) -> None:
    """Given a command line, exactly the packages that it needs are installed."""
    assert groups_for(arguments.split(), {"FARM_ENV_FILE": "/nonexistent"}) == groups


@pytest.mark.parametrize(("arguments", "torch"), [("demo", True), ("demo --device cpu", False), ("status", False)])
def test_a_visible_gpu_brings_torch_unless_the_device_is_cpu(
    arguments: str, torch: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a GPU, commands that run workers get torch, unless they are told to use the CPU."""
    monkeypatch.setattr(bootstrap, "gpu_is_visible", lambda: True)
    assert (Group.TORCH in groups_for(arguments.split(), {"FARM_ENV_FILE": "/nonexistent"})) is torch


@pytest.mark.usefixtures("no_gpu")
def test_device_and_detector_of_the_env_file_count(tmp_path: Path) -> None:
    """Given FARM_DEVICE=cuda or the Ultralytics detector in `.env`, torch is needed; the environment wins."""
    env_file = tmp_path / ".env"
    environment = {"FARM_ENV_FILE": str(env_file)}
    env_file.write_text("FARM_DEVICE='cuda:0'  # the second card is taken\n")
    assert setting("FARM_DEVICE", environment) == "cuda:0"
    assert Group.TORCH in groups_for(["up"], environment)
    assert Group.TORCH not in groups_for(["up"], {**environment, "FARM_DEVICE": "cpu"})
    env_file.write_text("export FARM_DETECTOR=ultralytics\n")
    assert Group.TORCH in groups_for(["up"], environment)


@pytest.mark.parametrize(
    ("arguments", "verb"),
    [("", ""), ("--help", ""), ("demo", "demo"), ("--device cuda demo", "demo"), ("--device=cpu up", "up")],
)
def test_the_command_is_found_among_options(arguments: str, verb: str) -> None:
    """Given options before the command, the command is still found."""
    assert verb_of(arguments.split()) == verb


def test_the_launcher_knows_the_commands_that_there_are() -> None:
    """Given the command line proper, the launcher's list of commands is the same."""
    import typer.main

    from cli.app import app

    group = typer.main.get_group(app)
    assert set(group.commands) == set(bootstrap.VERBS) - {"setup"}


@pytest.mark.parametrize("name", ["bootstrap", "venv_maker", "pip_progress", "__init__"])
def test_the_launcher_imports_only_the_standard_library(name: str) -> None:
    """Given the modules behind `./farm`, nothing that has to be installed is imported."""
    modules = imported_modules(PROJECT_DIR / "cli" / f"{name}.py")
    assert {module for module in modules if module not in sys.stdlib_module_names} <= {"cli"}


#: What benchmarks go without where it is missing: peers in environments of their own, and plots.
OPTIONAL = {"inference", "matplotlib", "trackeval"}


def imported_modules(path: Path) -> set[str]:
    """Return the top-level names that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_everything_that_is_imported_is_locked() -> None:
    """Given all our code, each package it imports is in a lock file, and in the right one."""
    dists = importlib.metadata.packages_distributions()
    base, dev, _quantise, torch = (set(locked(name)) for name in LOCK_FILES)
    for folder, allowed in (
        *((name, base) for name in sorted(OURS - {"tests", "benchmarks", "docs"})),
        *((name, base | dev) for name in ("tests", "benchmarks")),
    ):
        for path in sorted((PROJECT_DIR / folder).rglob("*.py")):
            optional = OPTIONAL if folder == "benchmarks" else set()
            for module in imported_modules(path) - OURS - sys.stdlib_module_names - optional:
                carriers = {normal(dist) for dist in dists.get(module, [module])}
                locks = allowed | (torch if module in TORCH_ONLY else set())
                assert carriers & locks, f"{path.relative_to(PROJECT_DIR)} imports {module}, which no lock has"


@pytest.mark.parametrize("name", LOCK_FILES)
def test_a_lock_names_no_machine_and_no_host(name: str) -> None:
    """Given a lock file, it holds neither addresses nor paths of the machine it was made on."""
    text = (PROJECT_DIR / name).read_text()
    assert re.findall(r"https?://|file:|--(?:extra-)?index-url|--find-links|^/|\s/\w", text) == []


@pytest.mark.parametrize("name", LOCK_FILES[:3])
def test_every_package_of_a_full_lock_has_hashes(name: str) -> None:
    """Given a lock that is installed with hashes, each package has at least one."""
    entries = re.split(r"(?m)^(?=[\w.-]+(?:\[.*\])?==)", (PROJECT_DIR / name).read_text())[1:]
    assert len(entries) > 15
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_locks_agree_with_each_other() -> None:
    """Given a package in several locks, it has the same version in all."""
    base = locked(LOCK_FILES[0])
    for name in LOCK_FILES[1:]:
        other = locked(name)
        assert {package: other[package] for package in base.keys() & other.keys()} == {
            package: base[package] for package in base.keys() & other.keys()
        }


def test_the_default_install_has_neither_torch_nor_a_second_opencv() -> None:
    """Given the default lock, torch and opencv-python are not in it, and the headless OpenCV is."""
    assert {"torch", "ultralytics", "opencv-python"} & set(locked("requirements.txt")) == set()
    assert "opencv-python-headless" in locked("requirements.txt")


def test_cuda_libraries_are_left_to_pip() -> None:
    """Given a resolved torch, its CUDA libraries are taken out of the lock with their comments, others stay."""
    text = "cuda-toolkit==13\n    # via torch\nnumpy==2\n    # via x\nnvidia-cublas==1\n    # via\n    #   torch\n"
    assert lock.without_left_to_pip(text + "nvidia-ml-py==1\ntriton==3\n") == "numpy==2\n    # via x\nnvidia-ml-py==1\n"


def test_packages_that_pip_moves_while_they_are_counted_do_not_matter(tmp_path: Path) -> None:
    """Given a folder that pip has just renamed, when installed packages are counted, then it is left out."""
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    (packages / "numpy-2.4.0.dist-info").mkdir(parents=True)
    # Listed, and not there when it is looked at.
    (packages / "~etuptools-65.5.0.dist-info").symlink_to(packages / "gone")
    assert pip_progress.installed_since(tmp_path / "bin" / "python", 0.0) == 1


def test_progress_counts_what_pip_says() -> None:
    """Given pip's output, packages are counted, those for other systems taken off, files of folders recognised."""
    progress = pip_progress.Progress(4)
    said = [
        progress.read(line)
        for line in (
            "Ignoring colorama: markers 'sys_platform == \"win32\"' don't match your environment",
            "Collecting openvino==2026.4.1 (from -r requirements.txt (line 7))",
            "  Downloading openvino-2026.4.1-cp311-cp311-manylinux.whl (48.2 MB)",
            "Requirement already satisfied: psycopg[binary]==3.3.9 in ./lib (from -r requirements.txt (line 9))",
            "Processing /mirror/numpy-2.4.6-cp311-cp311-manylinux_2_27.whl (from -r requirements.txt (line 8))",
            "  Using cached something",
            "Building wheel for flasgger (pyproject.toml): started",
            "Installing collected packages: numpy, openvino, psycopg",
        )
    ]
    assert said == [
        None,
        ("[1/3] openvino 2026.4.1", False),
        ("[1/3] openvino 2026.4.1 (48.2 MB)", True),
        ("[2/3] psycopg 3.3.9", False),
        ("[3/3] numpy 2.4.6", False),
        None,
        ("building flasgger", False),
        ("installing 3 packages", False),
    ]
    assert progress.installing == ["numpy", "openvino", "psycopg"]


@pytest.mark.parametrize(
    ("line", "code", "meaning"),
    [
        ("OSError: [Errno 28] No space left on device", 1, "disk is full"),
        ("Temporary failure in name resolution", 1, "package index cannot be reached"),
        ("ERROR: Could not find a version that satisfies x (from versions: none)", 1, "package index cannot be"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", 1, "not the one that was locked"),
        ("ERROR: No matching distribution found for av==18.1.0", 1, "no build for this machine"),
        ("The virtual environment was not created: ensurepip is not available", 1, "python3-venv"),
        ("Read-only file system", 1, "FARM_VENV"),
        ("Collecting torch", -9, "killed by signal 9"),
        ("something new", 3, "exit code 3"),
    ],
)
def test_a_failure_of_pip_is_said_in_one_sentence_with_its_last_lines(line: str, code: int, meaning: str) -> None:
    """Given what pip wrote last, the error says what it means and shows it."""
    text = pip_progress.failure_text(["before", line], code)
    assert meaning in text.splitlines()[0]
    assert text.splitlines()[-1] == f"  | {line}"
