"""Whole published collections as lists of names, made by plain loops that know nothing of the readers."""

EMOTION_CODES = ("AN", "DI", "FE", "HA", "SA", "SU")
KDEF_CODES = ("AF", "AN", "DI", "HA", "NE", "SA", "SU")
ANGLES = ("FL", "HL", "S", "HR", "FR")
FOLDERS = ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise")


def people(women, men, digits):
    return [f"F{n:0{digits}d}" for n in range(1, women + 1)] + [f"M{n:0{digits}d}" for n in range(1, men + 1)]


def bu3dfe():
    """2,500 names."""
    return [
        f"{who}/{who}_{code}{level:02d}WH_F3D.wrl"
        for who in people(56, 44, 4)
        for code, level in [("NE", 0), *((code, level) for code in EMOTION_CODES for level in (1, 2, 3, 4))]
    ]


def frgc():
    """4,007 names of 466 people in two sessions, and 943 more of the training partition.

    Numbers do not sort as text, the second session has lower ones, and each scan has a picture beside it.
    """
    names = [f"nd1/Spring2003range/{90000 + n % 275}d{n}.abs.gz" for n in range(943)]
    for n in range(4007):
        session = "Fall2003" if n < 2000 else "Spring2004"
        who, recording = n % 466, 8 + n // 466 * 2 if n >= 2000 else 90 + n // 466 * 7
        names.append(f"nd1/{session}range/{4200 + who:05d}d{recording}.abs.gz")
        names.append(f"nd1/{session}range/{4200 + who:05d}d{recording + 1}.ppm.gz")
    return names


def bosphorus():
    """4,666 names of 105 people with the published number of each kind."""
    counts = {"N": 299, "E": 453, "LFAU": 1549, "UFAU": 432, "CAU": 169, "YR": 735, "PR": 419, "CR": 211, "O": 381}
    details = {"N": ["N"], "E": ["ANGER", "DISGUST", "FEAR", "HAPPY", "SADNESS", "SURPRISE"], "O": ["EYE", "HAIR"]}
    names = []
    for kind, count in {**counts, "IGN": 18}.items():
        choice = details.get(kind, ["12LW", "R20"])
        for n in range(count):
            take, detail = divmod(n // 105, len(choice))
            names.append(f"bs{n % 105:03d}/bs{n % 105:03d}_{kind}_{choice[detail]}_{take}.bnt")
    return names


def bu4dfe(frames):
    """606 sequences (the published ones have about 100 frames each)."""
    return [
        f"{who}/{folder}/{frame:03d}.wrl" for who in people(58, 43, 3) for folder in FOLDERS for frame in range(frames)
    ]


def kdef():
    """4,900 names, two of them as wrong as they were published."""
    names = [
        f"{session}{who}/{session}{who}{code}{angle}.JPG"
        for session in "AB"
        for who in people(35, 35, 2)
        for code in KDEF_CODES
        for angle in ANGLES
    ]
    wrong = {"AF31/AF31SAHL.JPG": "AF31/AF31V.JPG", "AM31/AM31SUHR.JPG": "AM31/AM31H.JPG"}
    return [wrong.get(name, name) for name in names]


def fei():
    """2,800 names."""
    return [f"{who}-{photo:02d}.jpg" for who in range(1, 201) for photo in range(1, 15)]
