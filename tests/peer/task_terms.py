# SPDX-License-Identifier: Apache-2.0
"""What outputs mean for the task, and how far two sets of outputs agree in it, in percent: the same
best class, boxes that match, masks that overlap, points that lie near each other.

Decoders follow the zoo's description (data/zoo.toml); anchors are those of MediaPipe's
SsdAnchorsCalculator.
"""
import numpy as np

NEAR = 0.05  # points agree within this part of the input's width


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -80, 80)))


def anchors(decoder, size):
    """[n, 4]: centre x, centre y, width, height, in parts of the picture."""
    a = decoder["anchors"]
    strides, low, high = a["strides"], a["min_scale"], a["max_scale"]

    def scale(i):
        return (low + high) / 2 if len(strides) == 1 else low + (high - low) * i / (len(strides) - 1)

    found, layer = [], 0
    while layer < len(strides):
        shapes, last = [], layer
        while last < len(strides) and strides[last] == strides[layer]:
            if last == 0 and a["reduce_lowest_layer"]:
                shapes += [(1, 0.1), (2, scale(0)), (0.5, scale(0))]
            else:
                shapes += [(ratio, scale(last)) for ratio in a["aspect_ratios"]]
                if a["interpolated_aspect_ratio"] > 0:
                    following = 1 if last == len(strides) - 1 else scale(last + 1)
                    shapes.append((a["interpolated_aspect_ratio"], (scale(last) * following) ** 0.5))
            last += 1
        rows, columns = -(-size[0] // strides[layer]), -(-size[1] // strides[layer])
        for y in range(rows):
            for x in range(columns):
                for ratio, s in shapes:
                    w, h = (1, 1) if a["fixed_size"] else (s * ratio ** 0.5, s / ratio ** 0.5)
                    found.append(((x + 0.5) / columns, (y + 0.5) / rows, w, h))
        layer = last
    return np.array(found)


def overlap(a, b):
    """IoU of every box of a with every one of b: [n, m]; boxes are x0, y0, x1, y1."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inside = np.clip(high - low, 0, None).prod(-1)
    area = lambda c: np.clip(c[:, 2:] - c[:, :2], 0, None).prod(-1)  # noqa: E731
    return inside / np.maximum(area(a)[:, None] + area(b)[None] - inside, 1e-12)


def boxes(decoder, size, outputs):
    """(boxes [n, 4], classes [n], scores [n], keypoints [n, k, 2]) after suppression."""
    raw = np.concatenate([outputs[n].reshape(-1, outputs[n].shape[-1]) for n in decoder["boxes"]])
    scores = np.concatenate([outputs[n].reshape(-1, decoder["classes"]) for n in decoder["scores"]])
    place = anchors(decoder, size)
    order = [decoder["box_order"].index(c) for c in "xywh"]
    values = raw[:, order] / np.array(decoder["box_scale"])[order]
    centre = values[:, :2] * place[:, 2:] + place[:, :2]
    extent = (np.exp(np.clip(values[:, 2:], -20, 20)) if decoder["exponential_size"]
              else values[:, 2:]) * place[:, 2:]
    points = raw[:, 4:].reshape(len(raw), -1, 2) / decoder["box_scale"][0] + place[:, None, :2]
    scores = sigmoid(scores) if decoder["sigmoid"] else scores
    if "background" in decoder:
        scores[:, decoder["background"]] = 0
    classes, best = scores.argmax(1), scores.max(1)
    found = np.concatenate([centre - extent / 2, centre + extent / 2], 1)
    kept = []
    for i in np.argsort(-best, kind="stable"):
        if best[i] < decoder["score_threshold"]:
            break
        same = [k for k in kept if classes[k] == classes[i]]
        if not same or overlap(found[i:i + 1], found[same]).max() < decoder["iou_threshold"]:
            kept.append(i)
    return found[kept], classes[kept], best[kept], points[kept]


def match(a, b, least=0.5):
    """How many boxes of a have one of b of the same class, with at least that overlap."""
    left, matched = set(range(len(b[0]))), 0
    for box, kind in zip(a[0], a[1]):
        near = [(overlap(box[None], b[0][[j]])[0, 0], j) for j in left if b[1][j] == kind]
        if near and max(near)[0] >= least:
            matched += 1
            left.remove(max(near)[1])
    return matched


class Agreement:
    """Adds up over pictures; `percent` is what they have in common. outputs: arrays by name."""

    def __init__(self, task, decoder, size):
        self.task, self.decoder, self.size = task, decoder, size
        self.have = self.common = 0.0
        self.pictures = 0

    def add(self, expected, found):
        self.pictures += 1
        getattr(self, "_" + self.task)(expected, found)

    def _classify(self, expected, found):
        name = next(iter(expected))
        self.have += 1
        self.common += expected[name].argmax() == found[name].argmax()

    def _detect(self, expected, found):
        a, b = boxes(self.decoder, self.size, expected), boxes(self.decoder, self.size, found)
        self.have += len(a[0]) + len(b[0])
        self.common += 2 * match(a, b)

    def _segment(self, expected, found):
        """IoU of the masks, over all pictures' pixels."""
        name, least = self.decoder["mask"][0], self.decoder["score_threshold"]
        a, b = expected[name] > least, found[name] > least
        self.have += np.count_nonzero(a | b)
        self.common += np.count_nonzero(a & b)

    def _lines(self, expected, found):
        """Places where a line's centre is: both maps' scores are above the threshold."""
        name = self.decoder["scores"][0]
        a, b = (x[name] > self.decoder["score_threshold"] for x in (expected, found))
        self.have += np.count_nonzero(a) + np.count_nonzero(b)
        self.common += 2 * np.count_nonzero(a & b)

    def _landmark(self, expected, found):
        name, count = self.decoder["points"][0], self.decoder["point_count"]
        a, b = (x[name].reshape(count, -1)[:, :2] for x in (expected, found))
        width = self.size[1] if np.abs(a).max() > 2 else 1  # in pixels, or in parts of the input
        self.have += count
        self.common += np.count_nonzero(np.linalg.norm(a - b, axis=1) <= NEAR * width)

    @property
    def percent(self):
        return 100 * self.common / self.have if self.have else float("nan")
