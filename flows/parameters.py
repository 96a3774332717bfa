"""What people ask for: the parameters of the flows, which Prefect's UI shows as forms."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from infra.config import Config
from infra.profiles import profile_names

ProfileName = Annotated[
    str,
    Field(
        description="tiny, demo, standard, paper, or the path of your own .toml file",
        json_schema_extra={"pattern": rf"^({'|'.join(profile_names())}|.+\.toml)$"},  # for forms
    ),
]


class TrainRequest(Config):
    """Train a recogniser and let it try to become champion."""

    profile: ProfileName = "demo"
    photos: Annotated[
        Path | None, Field(description="folder of photos, a sub-folder a person; empty: the simulated face world")
    ] = None
    licence: Annotated[str, Field(description="licence of your photos (SPDX name); it follows the model")] = "unknown"


class CompareRequest(Config):
    """Compare reconstructors: the same photos, networks and protocol for each."""

    profile: ProfileName = "demo"
    reconstructors: Annotated[
        str,
        Field(description="names with commas between; NAME=FOLDER for meshes or weights made elsewhere"),
    ] = "expnet,rnet,texface,landmarks"
    photos: Annotated[
        Path | None, Field(description="folder of photos, a sub-folder a person; empty: the simulated face world")
    ] = None
    licence: Annotated[str, Field(description="licence of your photos (SPDX name)")] = "unknown"


class ReconstructorRequest(Config):
    """Train one reconstructor on simulated photos."""

    name: Annotated[
        str,
        Field(
            description="expnet, rnet, texface, or cnet (with the rnet below it)",
            json_schema_extra={"enum": ["expnet", "rnet", "texface", "cnet"]},
        ),
    ]
    profile: ProfileName = "demo"
    without_labels: Annotated[
        bool, Field(description="rnet only: learn from photos and landmarks alone, photometric term off and on")
    ] = False


class CoefficientsRequest(Config):
    """Coefficients of every photo in a folder."""

    photos: Annotated[Path, Field(description="folder of photos, a sub-folder a person, or photos side by side")]
    out: Annotated[Path, Field(description="the Parquet file to write")]
    reconstructor: Annotated[str, Field(description="expnet, rnet, texface or landmarks")] = "expnet"
    folder: Annotated[Path | None, Field(description="weights made elsewhere; empty: the best trained here")] = None


class ClassifiersRequest(Config):
    """Train the classifiers of individuals, gender and expression and let them try to become champions."""

    profile: ProfileName = "demo"
    kdef: Annotated[Path | None, Field(description="the folder of KDEF; empty: a simulated one")] = None
    fei: Annotated[Path | None, Field(description="the folder of FEI; empty: a simulated one")] = None
    genders: Annotated[
        Path | None, Field(description="CSV with the columns subject,gender: FEI publishes no such list")
    ] = None
    licence: Annotated[
        str | None, Field(description="licence of the photos; it follows the models; empty: the data sets' own")
    ] = None


class OwnClassifierRequest(Config):
    """Tell the people of a folder apart by coefficients, cross-validated over their photos."""

    photos: Annotated[Path, Field(description="folder of photos, a sub-folder a person")]
    profile: ProfileName = "demo"
    reconstructors: Annotated[str, Field(description="names with commas between: landmarks, or trained ones")] = (
        "landmarks"
    )
    folds: Annotated[int, Field(ge=2, description="parts that each photo is in one of")] = 5
    licence: Annotated[str, Field(description="licence of the photos (SPDX name)")] = "unknown"


class IngestRequest(Config):
    """List a data set as a snapshot: every file hashed, opened once, and noted with its labels and licence."""

    data_set: Annotated[
        str,
        Field(
            description="bosphorus, bu3dfe, bu4dfe, fei, frgc, kdef, photos, scans, vggface2; or folder (your own "
            "photos or scans, whichever are in it), or manifest (a CSV file)"
        ),
    ] = "folder"
    folder: Annotated[Path, Field(description="the folder that holds it, or the CSV file of a manifest")]
    name: Annotated[str | None, Field(description="what to call it; empty: the folder's name", max_length=200)] = None
    licence: Annotated[
        str | None,
        Field(description="licence (SPDX name); it follows every model; empty: the data set's own", max_length=200),
    ] = None
    labels: Annotated[
        Path | None, Field(description="CSV that says more: path and labels of files, or subject,gender of people")
    ] = None
    fast: Annotated[bool, Field(description="only hash: a file that cannot be read is found when it is used")] = False


class EvaluateAllRequest(Config):
    """Champion, challenger and the champion before on every benchmark that is there."""

    profile: Annotated[
        str, Field(description="whose simulated benchmarks: tiny, demo, standard, paper, or the path of a .toml file")
    ] = "demo"
    model: Annotated[
        str | None, Field(description="name of the registered model; empty: the recogniser of the profile")
    ] = None


class NightlyRequest(Config):
    """Evaluate on all benchmarks, look for regressions and drift, check new data."""

    profile: Annotated[
        str, Field(description="whose simulated benchmarks: tiny, demo, standard, paper, or the path of a .toml file")
    ] = "demo"
    model: Annotated[
        str | None, Field(description="name of the registered model; empty: the recogniser of the profile")
    ] = None
    regression_level: Annotated[
        float, Field(gt=0, lt=1, description="share of nights on which an equal champion may be called worse")
    ] = 0.01
    smallest_drop: Annotated[
        float, Field(ge=0, le=1, description="rank-1 that a champion must have lost to be called worse, as a share")
    ] = 0.005
    drift_level: Annotated[
        float, Field(gt=0, lt=1, description="share of nights on which data like the known may be called drifted")
    ] = 0.01


class EvaluateRequest(Config):
    """Rank-1 of the champion on a folder of scans."""

    scans: Annotated[Path, Field(description="folder of scans, a sub-folder a person, or the root of a data set")]
    gallery_rule: Annotated[
        Literal["first", "labels"],
        Field(description="who is enrolled: the first scan of each person, or as labels.csv says (column role)"),
    ] = "first"
    data_set: Annotated[
        Literal["bu3dfe", "frgc", "bosphorus", "bu4dfe"] | None,
        Field(description="read as this data set, by its own protocol; empty: anybody's folder"),
    ] = None
    model: Annotated[str, Field(description="name of the registered model whose champion is asked")] = "recognizer"


class PromoteRequest(Config):
    """Judge a version of a model by its gate and make it champion."""

    model: Annotated[str, Field(description="name of the registered model")] = "recognizer"
    version: Annotated[
        str, Field(description="number of the version; empty: the challenger", pattern=r"^([1-9][0-9]*)?$")
    ] = ""
    dry_run: Annotated[bool, Field(description="only say what the gate says; nothing is written or changed")] = False
    ask: Annotated[
        bool, Field(description="wait for a person's word in this UI, also where the gate does not ask for one")
    ] = False
    approval: Annotated[
        str, Field(description="your approval with its reason, instead of being asked for it", max_length=2000)
    ] = ""
    licence_override: Annotated[
        str | None, Field(description="why a model of restricted data may serve all the same", max_length=2000)
    ] = None
    actor: Annotated[str, Field(description="who asks; the ledger keeps it", min_length=1, max_length=100)] = (
        "Prefect UI"
    )


class RollbackRequest(Config):
    """Give the place back to the previous champion."""

    model: Annotated[str, Field(description="name of the registered model")] = "recognizer"
    reason: Annotated[str, Field(description="why; the ledger keeps it", min_length=1, max_length=2000)]
    actor: Annotated[str, Field(description="who asks; the ledger keeps it", min_length=1, max_length=100)] = (
        "Prefect UI"
    )
