"""Seals on PDFs: a PAdES signature of the portal over the whole document, allowing no change after it.

Who signed the terms are the two parties (models.Signature); the seal says that this portal wrote the document they
signed and that no byte changed since. Key and certificate come from PDF_SEAL_KEY and PDF_SEAL_CERTIFICATE (PEM files);
where none are set, a self-made pair is kept below PRIVATE_ROOT: right for development, trusted by nobody else.
"""

import contextlib
import datetime as dt
import io
import logging
import os
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

log = logging.getLogger(__name__)

FIELD = "GongjianSeal"
YEARS = 10  # of the self-made certificate


class SealMissing(Exception):
    """Key or certificate cannot be read, or do not belong together."""


@dataclass(frozen=True)
class SealVerdict:
    """What a document's seal says. is_ours: made with the certificate this portal uses now.

    is_intact: every byte is as it was when it was sealed. sealed_at: the portal's clock then; None: not said.
    """

    is_ours: bool
    is_intact: bool
    sealed_at: dt.datetime | None


def _files() -> tuple[Path, Path]:
    if settings.PDF_SEAL_KEY or settings.PDF_SEAL_CERTIFICATE:
        return Path(settings.PDF_SEAL_KEY), Path(settings.PDF_SEAL_CERTIFICATE)
    pair = Path(settings.PRIVATE_ROOT) / "seal" / "pair.pem"
    if not pair.exists():
        _make_own(pair)
    return pair, pair


def _make_own(path: Path) -> None:
    """A key and a self-signed certificate in one file, so that two processes making one at once cannot mix theirs."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Gongjian (self-made certificate)"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, host),
        ]
    )
    now = timezone.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.parent / f"draft-{os.getpid()}-{threading.get_ident()}.pem"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem + certificate.public_bytes(serialization.Encoding.PEM))
    with contextlib.suppress(FileExistsError):  # another process was quicker: its pair stays
        os.link(draft, path)
        log.info("made a key and a certificate for seals: %s", path)
    draft.unlink()


@lru_cache(maxsize=4)
def _signer(key: str, certificate: str, passphrase: str) -> Any:
    from pyhanko.sign import signers

    loaded = signers.SimpleSigner.load(
        key_file=key, cert_file=certificate, key_passphrase=passphrase.encode() if passphrase else None
    )
    if loaded is None:
        raise SealMissing(f"The key {key} or the certificate {certificate} for seals cannot be read.")
    return loaded


def signer() -> Any:
    """The portal's key and certificate. Raises SealMissing."""
    key, certificate = _files()
    return _signer(str(key), str(certificate), settings.PDF_SEAL_PASSPHRASE)


def seal(pdf: bytes, *, reason: str) -> bytes:
    """The document with the portal's seal, added as an update: the bytes before it stay as they are.

    Raises SealMissing.
    """
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers

    sealed = signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(pdf)),
        signers.PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm="sha256",
            reason=reason,
            name=settings.BASE_URL,
            subfilter=fields.SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        ),
        signer=signer(),
    )
    return bytes(sealed.getbuffer())


def verdict(pdf: bytes) -> SealVerdict | None:
    """What the seal of an uploaded document says; None: it has none, or is no PDF one could read. Never raises."""
    try:
        return _verdict(pdf)
    except SealMissing:
        log.exception("seals cannot be checked")
    except Exception as error:  # strangers' files: whatever the reader stumbles over, there is no seal to speak of
        log.info("no seal could be read: %s", error)
    return None


def _verdict(pdf: bytes) -> SealVerdict | None:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    reader = PdfFileReader(io.BytesIO(pdf), strict=False)
    found = next((s for s in reader.embedded_signatures if s.field_name == FIELD), None)
    if found is None:
        return None
    own = signer().signing_cert
    whole = SignatureCoverageLevel.ENTIRE_FILE
    status = validate_pdf_signature(found, ValidationContext(trust_roots=[own], allow_fetching=False))
    return SealVerdict(
        is_ours=found.signer_cert is not None and found.signer_cert.sha256 == own.sha256,
        is_intact=status.intact and status.valid and bool(status.docmdp_ok) and status.coverage == whole,
        sealed_at=found.self_reported_timestamp,
    )


def certificate_text() -> str:
    """Who the seal is of, for the foot of pages: "CN of O, SHA-256 …". Raises SealMissing."""
    certificate = signer().signing_cert
    return f"{certificate.subject.human_friendly} · SHA-256 {certificate.sha256.hex()}"
