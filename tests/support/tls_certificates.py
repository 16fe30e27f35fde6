"""Certificates for tests.

    ca = Authority(tmp_path, "ca")
    pair = ca.issue("server")                    # for 127.0.0.1, ::1 and localhost
    start_server(flags=pair.flags())
    flight.connect(uri, tls_root_certs=ca.pem)
"""

import dataclasses
import datetime
import ipaddress
import os
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_pem(key, password=None):
    encryption = (serialization.BestAvailableEncryption(password) if password
                  else serialization.NoEncryption())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             encryption)


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclasses.dataclass
class Pair:
    """A certificate and its key, in files."""

    certificate: pathlib.Path
    key: pathlib.Path
    serial: int

    @property
    def certificate_pem(self):
        return self.certificate.read_bytes()

    @property
    def key_pem(self):
        return self.key.read_bytes()

    def flags(self):
        return ["--tls-cert", str(self.certificate), "--tls-key", str(self.key)]

    def replace_by(self, other):
        """Renews both files as careful programs do, each in one step."""
        for mine, its in ((self.certificate, other.certificate), (self.key, other.key)):
            new = mine.with_suffix(".new")
            new.write_bytes(its.read_bytes())
            os.replace(new, mine)
        self.serial = other.serial


class Authority:
    """One that issues certificates, for servers and for clients."""

    def __init__(self, folder, name):
        self._folder = pathlib.Path(folder)
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._build(name, self._key.public_key(), (-DAY, 10 * DAY), [
            (x509.BasicConstraints(ca=True, path_length=None), True),
            (x509.KeyUsage(key_cert_sign=True, crl_sign=True, digital_signature=False,
                           content_commitment=False, key_encipherment=False,
                           data_encipherment=False, key_agreement=False, encipher_only=False,
                           decipher_only=False), True)])
        self.pem = _pem(self._certificate)
        self.path = self._folder / f"{name}.pem"
        self.path.write_bytes(self.pem)

    def issue(self, name, *, days=(-1, 10), key=None, password=None, names=("localhost",),
              addresses=("127.0.0.1", "::1")):
        """A new pair in files that are named after it. `days`: when it begins and ends to be valid,
        from now on."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        alternatives = [x509.DNSName(each) for each in names] + [
            x509.IPAddress(ipaddress.ip_address(each)) for each in addresses]
        usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = self._build(name, key.public_key(), (days[0] * DAY, days[1] * DAY), [
            (x509.SubjectAlternativeName(alternatives), False),
            (x509.ExtendedKeyUsage(usage), False)])
        pair = Pair(self._folder / f"{name}-cert.pem", self._folder / f"{name}-key.pem",
                    certificate.serial_number)
        pair.certificate.write_bytes(_pem(certificate))
        pair.key.write_bytes(_key_pem(key, password))
        return pair

    def _build(self, name, public_key, validity, extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        own = self._key.public_key()
        extensions = [*extensions,
                      (x509.SubjectKeyIdentifier.from_public_key(public_key), False),
                      (x509.AuthorityKeyIdentifier.from_issuer_public_key(own), False)]
        builder = (x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name(self._name))
                   .public_key(public_key).serial_number(x509.random_serial_number())
                   .not_valid_before(now + validity[0]).not_valid_after(now + validity[1]))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256())
