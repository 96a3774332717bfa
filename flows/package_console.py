"""What `trinormal package` prints."""

from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from infra.files import atomic_write_bytes
from infra.settings import load_settings
from infra.signed_folder import SignedFolder
from infra.signing import Keyring
from models.errors import ConfigurationError

console = Console()
LARGEST_KEY = 10_000


def run_export(model: str, out: Path) -> None:
    """Write a package and show what is in it."""
    from tasks.packages import export_package

    _show(export_package(model, out))


def run_verify(folder: Path) -> None:
    """Show what was checked; what is wrong is raised."""
    from tasks.packages import verify_package

    _show(verify_package(folder))


def run_key(out: Path | None) -> None:
    """Print or write the public key."""
    pem = Keyring(load_settings().signing).public_pem()
    if out is None:
        console.print(pem.decode(), end="", markup=False)
    else:
        atomic_write_bytes(out, pem)


def run_trust(public: Path, name: str) -> None:
    """Add a public key to those that are trusted."""
    try:
        with public.open("rb") as file:
            pem = file.read(LARGEST_KEY)
    except OSError as error:
        raise ConfigurationError(f"{public}: cannot be read ({error.strerror}); name a public key's file") from None
    key = Keyring(load_settings().signing).trust(name, pem)
    console.print(f"packages signed by key {key[:16]} are accepted from now on, as those of {name}", soft_wrap=True)


def _show(signed: SignedFolder) -> None:
    shown = Table(
        title=" ".join(signed.manifest.subject.get(part, "")[:32] for part in ("model", "key")), box=box.SIMPLE
    )
    shown.add_column("file")
    shown.add_column("bytes", justify="right")
    shown.add_column("SHA-256")
    for name, entry in signed.manifest.files.items():
        shown.add_row(name, f"{entry.size:,}", entry.sha256[:16])
    console.print(shown)
    console.print(f"{signed.folder}: every byte is what {signed.signer} signed", soft_wrap=True)
