"""What the keys of a config and their choices are called in words: for forms, help texts and pages.

What a key means stands at the key itself; sampling designs, metrics and methods bring their own words along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faults.designs.registry import DESIGNS, LIST
from engine.injection.methods import METHODS
from engine.metrics.registry import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

Place = tuple[str, str]
"""section and key; no section for the keys above all tables"""

SECTIONS: Mapping[str, str] = {
    "": "campaign",
    "model": "network",
    "dataset": "data set",
    "faults": "faults",
    "workload": "workload: the images that are run",
    "run": "how it is run",
}
"""section -> its title"""

LABELS: Mapping[Place, str] = {
    ("", "name"): "name",
    ("model", "arch"): "architecture",
    ("model", "width"): "width factor",
    ("model", "path"): "folder of code",
    ("model", "weights"): "weights file",
    ("dataset", "name"): "data set",
    ("dataset", "path"): "file or folder",
    ("dataset", "mean"): "mean, per channel",
    ("dataset", "std"): "deviation, each",
    ("faults", "model"): "fault model",
    ("faults", "sampling"): "sampling",
    ("faults", "list"): "list of faults",
    ("faults", "population"): "population",
    ("faults", "error_margin"): "error margin",
    ("faults", "confidence"): "confidence",
    ("faults", "count"): "number of faults",
    ("faults", "layers"): "layers",
    ("faults", "bits"): "bits",
    ("faults", "seed"): "seed of faults",
    ("faults", "p"): "expected rates",
    ("faults", "draw"): "way of drawing",
    ("workload", "metric"): "ranked by",
    ("workload", "path"): "folder of code",
    ("workload", "layer"): "features of layer",
    ("workload", "select"): "which images",
    ("workload", "list"): "list of images",
    ("workload", "n"): "number of images",
    ("workload", "fraction"): "share of images",
    ("workload", "center"): "centre",
    ("workload", "eps"): "distance, at most",
    ("workload", "threshold"): "plateau step",
    ("workload", "seed"): "seed of order",
    ("run", "method"): "method",
    ("run", "theta"): "bound's limit",
    ("run", "theta2"): "change's limit",
    ("run", "audit"): "missed pairs",
    ("run", "audit_faults"): "audited faults",
    ("run", "goal"): "goal",
    ("run", "executor"): "computed by",
    ("run", "device"): "device",
    ("run", "tf32"): "allow TF32",
    ("run", "memory"): "memory",
    ("run", "precision"): "stop at precision",
    ("run", "precision_of"): "precision of",
    ("run", "check"): "self-check",
}
"""place -> what the key is called, in at most 17 letters"""

CHOICES: Mapping[Place, Mapping[str, str]] = {
    ("model", "arch"): {
        "lenet5": "5 layers, for 28 x 28 digits; its weights on MNIST come with the program",
        "resnet9": "8 convolutions with two residual blocks, for 32 x 32 images",
        "resnet18": "ResNet-18 as for CIFAR: a 3 x 3 first layer, no pooling",
        "resnet20": "ResNet-20 for CIFAR, 0.27 million weights",
        "vgg11": "VGG-11 with batch norm",
        "vgg16": "VGG-16 with batch norm",
        "mobilenetv2": "MobileNetV2; its width can be scaled",
    },
    ("dataset", "name"): {
        "mnist": "handwritten digits; the test images come with the program",
        "fashion_mnist": "pieces of clothing, as large as the digits of MNIST",
        "cifar10": "colour photographs of 10 classes, 32 x 32",
        "npz": "a NumPy file of your own, with images and labels",
        "folder": "a folder of your own, with a sub-folder of image files for each class",
    },
    ("faults", "model"): {
        "bit_flip": "the bit is turned over: 0 becomes 1, 1 becomes 0",
        "stuck_at_0": "the bit reads as 0, whatever was stored",
        "stuck_at_1": "the bit reads as 1, whatever was stored",
        "stuck_at": "each fault is stuck at 0 or at 1, which is drawn",
    },
    ("faults", "sampling"): {
        **{each.name: each.help for each in DESIGNS.values()},
        LIST: "the faults of a CSV, none is drawn",
    },
    ("faults", "population"): {
        "x32": "each of the 32 bits of a weight is one possible fault",
        "x64": "each bit counts twice, once for each value it may be stuck at, as in published lists",
    },
    ("faults", "draw"): {
        "uniform": "NumPy's generator, each fault as likely as any other",
        "published": "Python's random, which draws the published lists again",
    },
    ("workload", "metric"): {each.name: each.title for each in METRICS.values()},
    ("workload", "select"): {
        "all": "every image of the data set",
        "top_n": "the most challenging ones, a number of them",
        "fraction": "the most challenging ones, a share of the data set",
        "central": "those close to the border between two classes: metric within a distance of a centre",
        "pre_plateau": "from the most challenging one to where the ranked metric becomes flat",
        "nonzero": "those whose metric is more than 0.0001",
        "random": "drawn at random, to compare a ranking with",
        "list": "those of a CSV, in its order",
    },
    ("run", "method"): {each.name: each.promise for each in METHODS.values()},
    ("run", "goal"): {
        "severities": "what every fault does to every image",
        "critical_faults": "only which faults are critical: one that is shown to be so is not run on",
    },
    ("run", "executor"): {"local": "this machine, one device"},
    ("run", "device"): {
        "auto": "the first GPU, the CPU where there is none",
        "cpu": "the processor",
        "cuda": "the first GPU",
    },
    ("run", "precision_of"): {
        "pairs": "the share of (fault, image) pairs that are critical",
        "faults": "the share of faults that are critical",
        "accuracy": "the accuracy under a fault",
    },
    ("run", "tf32"): {"false": "float32 as it is", "true": "rounder arithmetic, on GPUs that have it"},
}
"""place -> value -> what choosing it means; of a text, the values that are known beforehand"""
