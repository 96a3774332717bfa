"""What people ask for: the parameters of the flows, which Prefect's UI shows as forms."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from infra.config import Config


class TrainRequest(Config):
    """Train a recogniser and let it try to become champion."""

    profile: Annotated[str, Field(description="tiny, demo, standard, paper, or the path of your own .toml file")] = (
        "demo"
    )
    photos: Annotated[
        Path | None, Field(description="folder of photos, a sub-folder a person; empty: the simulated face world")
    ] = None
    licence: Annotated[str, Field(description="licence of your photos (SPDX name); it follows the model")] = "unknown"


class CompareRequest(Config):
    """Compare reconstructors: the same photos, networks and protocol for each."""

    profile: Annotated[str, Field(description="tiny, demo, standard, paper, or the path of your own .toml file")] = (
        "demo"
    )
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

    name: Annotated[str, Field(description="expnet, rnet, texface, or cnet (with the rnet below it)")]
    profile: Annotated[str, Field(description="tiny, demo, standard, paper, or the path of your own .toml file")] = (
        "demo"
    )
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

    profile: Annotated[str, Field(description="tiny, demo, standard, paper, or the path of your own .toml file")] = (
        "demo"
    )
    kdef: Annotated[Path | None, Field(description="the folder of KDEF; empty: a simulated one")] = None
    fei: Annotated[Path | None, Field(description="the folder of FEI; empty: a simulated one")] = None
    genders: Annotated[
        Path | None, Field(description="CSV with the columns subject,gender: FEI publishes no such list")
    ] = None
    licence: Annotated[str, Field(description="licence of the photos (SPDX name); it follows the models")] = "unknown"


class OwnClassifierRequest(Config):
    """Tell the people of a folder apart by coefficients, cross-validated over their photos."""

    photos: Annotated[Path, Field(description="folder of photos, a sub-folder a person")]
    profile: Annotated[str, Field(description="tiny, demo, standard, paper, or the path of your own .toml file")] = (
        "demo"
    )
    reconstructors: Annotated[str, Field(description="names with commas between: landmarks, or trained ones")] = (
        "landmarks"
    )
    folds: Annotated[int, Field(ge=2, description="parts that each photo is in one of")] = 5
    licence: Annotated[str, Field(description="licence of the photos (SPDX name)")] = "unknown"
