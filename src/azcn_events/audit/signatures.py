"""The signature schemes: the one module that needs the extra ``crypto``.

Import it inside the functions that use it, so that whatever needs no signature works
without the extra.

Source:
    RFC 8032 (Ed25519) and FIPS 204 (ML-DSA-44), as ``cryptography`` has them.
"""

from __future__ import annotations

from azcn_events.audit.notes import Scheme
from azcn_events.errors import ExtraMissing

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )
    from cryptography.hazmat.primitives.asymmetric.mldsa import (
        MLDSA44PrivateKey,
        MLDSA44PublicKey,
    )
except ModuleNotFoundError as error:
    purpose = "Signing, and checking a signature,"
    missing = error.name or "cryptography"
    raise ExtraMissing("crypto", purpose, missing, str(error)) from error

__all__ = ["is_signed", "new_seed", "public_of", "sign"]


def new_seed(scheme: Scheme) -> bytes:
    """Draw the seed of a new private key from the operating system, 32 bytes.

    Raises:
        ExtraMissing: If the installed library cannot do this scheme.
    """
    if scheme is Scheme.COSIGNATURE_MLDSA44:
        try:
            return MLDSA44PrivateKey.generate().private_bytes_raw()
        except UnsupportedAlgorithm as error:
            raise _unsupported(error) from None
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_of(scheme: Scheme, seed: bytes) -> bytes:
    """Give the public key of a private one.

    Raises:
        ExtraMissing: If the installed library cannot do this scheme.
    """
    return _private(scheme, seed).public_key().public_bytes_raw()


def sign(scheme: Scheme, seed: bytes, message: bytes) -> bytes:
    """Sign a message: 64 bytes of Ed25519, or 2,420 of ML-DSA-44.

    Raises:
        ExtraMissing: If the installed library cannot do this scheme.
    """
    return _private(scheme, seed).sign(message)


def is_signed(scheme: Scheme, public: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether this is the key's signature of the message.

    Raises:
        ExtraMissing: If the installed library cannot do this scheme.
    """
    try:
        if scheme is Scheme.COSIGNATURE_MLDSA44:
            MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
        else:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except UnsupportedAlgorithm as error:
        raise _unsupported(error) from None
    except (InvalidSignature, ValueError):  # a ValueError: bytes that are no key
        return False
    return True


def _private(scheme: Scheme, seed: bytes) -> Ed25519PrivateKey | MLDSA44PrivateKey:
    if scheme is Scheme.COSIGNATURE_MLDSA44:
        try:
            return MLDSA44PrivateKey.from_seed_bytes(seed)
        except UnsupportedAlgorithm as error:
            raise _unsupported(error) from None
    return Ed25519PrivateKey.from_private_bytes(seed)


def _unsupported(error: Exception) -> ExtraMissing:
    purpose = "ML-DSA-44, in a build that has it,"
    return ExtraMissing("crypto", purpose, "cryptography", str(error))
