"""The one error tree. A message is one line: what, where, what to do."""


class TrinormalError(Exception):
    """Root of every error a user can meet; the command line prints it as one line and exits with code 2."""


class ConfigurationError(TrinormalError):
    """A setting, profile or parameter is wrong."""


class UnknownPlugin(ConfigurationError):
    """A name that no plug-in of that kind answers to."""


class DataError(TrinormalError):
    """An input file or data set cannot be used."""


class PhotoError(DataError):
    """A photo cannot be decoded or holds no usable face."""


class ScanError(DataError):
    """A 3D scan cannot be parsed or is not a usable face."""


class ArtefactError(TrinormalError):
    """A stored artefact is missing, incomplete or not what its hash says."""


class ValidationFailed(DataError):
    """A Great Expectations suite refused a snapshot."""


class BrokenVersion(ValidationFailed):
    """What a registered version makes of sound scans is refused: the version is broken, not the data."""


class DataLeak(DataError):
    """What is trained on and what is tested with are not apart."""


class AssetMissing(TrinormalError):
    """A set-up step that fetches or trains something has not been done."""


class GateRefused(TrinormalError):
    """A model version did not pass its promotion gate."""
