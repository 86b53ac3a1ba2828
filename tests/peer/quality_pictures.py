# SPDX-License-Identifier: Apache-2.0
"""The pictures of the quality table: pinned files, some to calibrate with and others to evaluate on,
and the crops of them that a network gets.

The files lie in Debian's python3-skimage, in npm's @vladmandic/face-api 1.7.15 (demo/) and in
google-coral/test_data, and are found in the folders that --pictures names. A picture with another
SHA-256 is refused.
"""
import hashlib
import os

import numpy as np

CALIBRATION = {
    "bird.bmp":
        "3fd22d6ed352b8e721d9982e38ed655f8429e168bb53ad205c6f3cdfa848e994",
    "cityscapes_segmentation.bmp":
        "c6112bc14676e1c06a6103fbde13b622109343793aa17f0b850f10cf0773816c",
    "coffee.png":
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "dog_segmentation.bmp":
        "4135e33634f6bc241e40d62dd156bf3ba140c0b7a9477982525c8a7a7754f15a",
    "dragonfly.bmp":
        "bb42efbdd3ef1a06cc17cc4db862373be91d74eec2fcdeeb6665247a3ae6ce52",
    "hot_dog.jpg":
        "ed6952e022eb71c0d0b1ff068dcee3abed056dfa1852f041c35f138c4ff15b2e",
    "kite_and_cold.jpg":
        "87410f52f79cc256c3949b48a3548632c07c8e9943468ef8caa6250f6643be8e",
    "motorcycle_left.png":
        "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
    "page.png":
        "341a6f0a61557662b02734a9b6e56ec33a915b2c41886b97509dedf2a43b47a3",
    "pets.jpg":
        "3d71034f8a910bc71c744d3191b652c6c09e9e9c703e4dcd97f1c5ef7adbfe82",
    "rocket.jpg":
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
    "sample1.jpg":
        "8ecae4b267b2d3169e06e00c7dee97097aa2a94635d45216f7732a5f4943cb51",
    "sample3.jpg":
        "8eb081c9efb14370fa94d9feab9e5fbeafd19a627491853a80c2bf67f7ffa936",
    "sample5.jpg":
        "6d45095ebb182d8f975c0790e0e4eefd86fbb40609cf4b271776d92e12662938",
    "sunflower.bmp":
        "896b5e31cee42ebe32ee91251fc42041ca03c767fe02bd7ebc0e37d45f4a45b2",
    "traffic_0001.bmp":
        "acf2b435cf4f4fb4351e283a08c546e873e7ee0eae05f6a9404cb7d177050eaa",
}
EVALUATION = {
    "astronaut.png":
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "bird_segmentation.bmp":
        "24dbd0ca9c379b5b8d055026e073a3ffb54ad72ac0746d31d16da9306865ee48",
    "cat_720p.jpg":
        "cfb1dbdf64b30de79104a47555ff8e9f12737a12c2128ecd0e7f38531a8c13ce",
    "chelsea.png":
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "face.jpg":
        "270e2bb9a1dce26a042baea93dbc4118d2f9b243c822ae5687ced52715048c56",
    "grace_hopper.bmp":
        "c43444bf3b1b1e3080551ca194bd231da4b67f20fc91454502915a6b806b614f",
    "missvickie_potato_chips.bmp":
        "4b7dd9bce3b42df118482074fc33047ed8ee7f8facad711bb03fe4437b9e0a55",
    "owl.jpg":
        "ea9a0e3943bbd0acaeb472a6e66e777d13cf76646f9e42e84cafa931cc8a5bf7",
    "parrot.jpg":
        "a8fba9e7e29439fa414c13129aad661f2289ff891231920a7c33641b076f1833",
    "posenet_test_image.bmp":
        "a149a7ecbac4496ac9afb6d33bca35d2200b8274b9ca5b79de5ba25d2a7b0afb",
    "sample2.jpg":
        "7d2b60ae6f13bf30f422e04df87451081a02c83de469056f25afb44b7000c691",
    "sample4.jpg":
        "729efa5923061d40eb4ed5f267a18cc7b8ba6f852bb2757b16d8b7e4937476fc",
    "sample6.jpg":
        "9baad80f9d5e306fb9b8c0913d44445f1e95848df317530efb03d0934c57ba87",
    "text.png":
        "bd84aa3a6e3c9887850d45d606c96b2e59433fbef50338570b63c319e668e6d1",
}


def find(names, folders):
    """PIL pictures by name, checked; a missing or other file is an error."""
    from PIL import Image

    found = {}
    for name, expected in names.items():
        path = next((os.path.join(f, name) for f in folders if os.path.exists(os.path.join(f, name))),
                    None)
        if path is None:
            raise FileNotFoundError(f"{name} is in none of {', '.join(folders)}")
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        if digest != expected:
            raise ValueError(f"{path}: SHA-256 is {digest}, expected {expected}")
        found[name] = Image.open(path).convert("RGB")
    return found


def crops(picture, many):
    """The whole picture and its mirror image; `many`: also the four corners and the middle, each
    three quarters as wide and high, every other mirrored."""
    from PIL import ImageOps

    yield picture
    yield ImageOps.mirror(picture)
    if not many:
        return
    w, h = picture.size
    w4, h4 = w // 4, h // 4
    for i, (x, y) in enumerate(((0, 0), (w4, 0), (0, h4), (w4, h4), (w4 // 2, h4 // 2))):
        part = picture.crop((x, y, x + 3 * w4, y + 3 * h4))
        yield ImageOps.mirror(part) if i % 2 else part


def square(picture, centre, side):
    """A square part in pixels, black beyond the borders."""
    x, y = centre
    box = [round(x - side / 2), round(y - side / 2), round(x + side / 2), round(y + side / 2)]
    return picture.crop(box)


def tensor(picture, entry, size):
    """float32 of shape [height, width, channels] as the zoo's entry prepares pictures; what is
    letterboxed there is stretched here."""
    from PIL import Image

    pixels = np.asarray(picture.resize((size[1], size[0]), Image.BILINEAR), np.float32)
    if entry.get("color") == "BGR":
        pixels = pixels[:, :, ::-1]
    values = (pixels - np.float32(entry["mean"])) / np.float32(entry["std"])
    if "extra_channel" in entry:
        extra = np.full(values.shape[:2] + (1,), entry["extra_channel"], np.float32)
        values = np.concatenate([values, extra], 2)
    return np.ascontiguousarray(values, np.float32)
