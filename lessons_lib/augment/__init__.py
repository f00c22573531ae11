"""Data augmentation: new training data from old, for images, text, sound and tables.

One idea throughout. A **transform** is a small frozen object that holds the parameters and no
state; called with a batch and a source of randomness, it returns a new batch, in which every item
got its own draw:

>>> import numpy as np
>>> from lessons_lib.augment import Compose, image
>>> augment = Compose([image.RandomRotation(15), image.GaussianNoise(0.05)])
>>> images = np.zeros((100, 8, 8))
>>> rng = np.random.default_rng(0)
>>> for epoch in range(3):
...     batch = augment(images, rng)  # other draws in every epoch
>>> batch.shape
(100, 8, 8)

The items keep their number and order, so that the labels still fit. Two things make new labels as
well, and therefore take and return them: ``tabular.Mixup()(X, targets, random_state)``, and
``tabular.SMOTE(...).fit_resample(X, y)``, which has imbalanced-learn's interface.

Beside the random objects there are plain functions that do one thing with known parameters, such as
``image.affine(images, angle=30)``: to look at a change, or to measure what it does to a prediction.

============  ===========================  =====================================================
module        a batch is                   transforms
============  ===========================  =====================================================
``image``     (n, height, width[, c])      rotation, shift, scale, flips, crop, colors, noise
``text``      a list of strings            synonyms, insertion, swap, deletion, back-translation
``audio``     (n, time)                    time stretch, pitch shift, background noise
``tabular``   (n, n_features) or any       noise, jitter, masking; mixup; SMOTE
============  ===========================  =====================================================
"""

from lessons_lib.augment import audio, image, tabular, text
from lessons_lib.augment._transform import Compose, Transform

__all__ = ["Compose", "Transform", "audio", "image", "tabular", "text"]
