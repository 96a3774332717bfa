"""Figures that paper B reports (section 5), to lay ours beside."""

from typing import Any

PAPER: dict[str, Any] = {
    "accuracy": {
        "individual": {"photos": 0.873, "resnet": 1.0},
        "expression": {"photos": 0.706, "resnet": 0.835},
        "gender": {"photos": 0.798, "resnet": 0.954},
    },
    "seconds_per_input": {
        "individual": {"photos": 0.054, "resnet": 0.005},
        "expression": {"photos": 0.062, "resnet": 0.001},
        "gender": {"photos": 0.006, "resnet": 0.003},
    },
    "confusion": [
        [0.7526, 0.0110, 0.0387, 0.0166, 0.0240, 0.0500, 0.1070],
        [0.0424, 0.6500, 0.1309, 0.0111, 0.0829, 0.0756, 0.0073],
        [0.0349, 0.0276, 0.8675, 0.0111, 0.0018, 0.0534, 0.0037],
        [0.0074, 0.0074, 0.0129, 0.9577, 0.0037, 0.0074, 0.0037],
        [0.0018, 0.0183, 0.0, 0.0, 0.9322, 0.0476, 0.0],
        [0.0312, 0.0165, 0.0458, 0.0018, 0.0971, 0.8057, 0.0018],
        [0.1219, 0.0055, 0.0, 0.0019, 0.0074, 0.0055, 0.8578],
    ],
}
"""Tables 1, 2 and 3 of paper B; rows and columns afraid, angry, disgusted, happy, neutral, sad, surprised."""
