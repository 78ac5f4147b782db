"""A certificate authority for one test run, and what it vouches for."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Authority:
    """Signs certificates of servers. `file` is what a client needs to trust them."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.file = folder, folder / f"{name}.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = self._begin(self._name, self._key, DAY).add_extension(x509.BasicConstraints(True, 0), critical=True)
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def vouch(self, host: str, *, ends_in: timedelta = DAY) -> tuple[Path, Path]:
        """The certificate and the private key of a server, as files."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        asked = self._begin(subject, key, ends_in)
        named = asked.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return self._write(f"{host}.crt", named.sign(self._key, hashes.SHA256())), self._write(f"{host}.key", key)

    def _begin(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, ends_in: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - 2 * DAY).not_valid_after(now + ends_in)

    def _write(self, name: str, thing: x509.Certificate | ec.EllipticCurvePrivateKey) -> Path:
        file = self.folder / name
        if isinstance(thing, x509.Certificate):
            file.write_bytes(thing.public_bytes(serialization.Encoding.PEM))
        else:
            form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            file.write_bytes(thing.private_bytes(*form))
        return file
