"""The ffmpeg that yt-dlp starts asks a site for its certificate, and leaves other inputs alone."""

import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from faulty_site import FaultySite

from collection.programs import Programs
from s2s.media import probe, run_ffmpeg


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video; a certificate for this machine, which is its own authority, and its key."""
    folder = tmp_path_factory.mktemp("site")
    run_ffmpeg(["-f", "lavfi", "-i", "testsrc=d=1:s=64x48", str(folder / "v.mp4")], "v")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a site")])
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "site.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    """The video's address on a site with TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "site.pem", folder / "key.pem")
    site = FaultySite(folder)
    site.socket = context.wrap_socket(site.socket, server_side=True)
    with site.running():
        yield f"https://127.0.0.1:{site.server_port}/v.mp4"


def copy(source: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Copy a video as yt-dlp does, with the program that is made for it."""
    programs = Programs(folder / "programs")
    programs.write()
    # What a person wrote may hold anything.
    headers = ["-headers", "X-Said: 'a b' $(false) -i\r\n"] if "://" in source else []
    command = [str(programs.folder / "ffmpeg"), "-loglevel", "error", "-y", *headers]
    return subprocess.run(
        [*command, "-i", source, "-c", "copy", str(folder / "copy.mp4")],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_site_needs_a_certificate_that_somebody_vouches_for(
    is_trusted: bool, url: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / "site.pem"))
    done = copy(url, tmp_path)
    if is_trusted:
        assert done.returncode == 0, done.stderr
        assert probe(tmp_path / "copy.mp4").has_video
    else:
        assert done.returncode != 0
        assert "certificate" in done.stderr


def test_inputs_without_tls_are_read_as_well(folder: Path, tmp_path: Path):
    with FaultySite(folder).running() as site:
        for source in (site.url.replace("{source_id}", "v"), str(folder / "v.mp4")):
            done = copy(source, tmp_path)
            assert done.returncode == 0, done.stderr
            assert probe(tmp_path / "copy.mp4").has_video
