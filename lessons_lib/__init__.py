"""Reference implementations behind *Why Models Overfit*, an executable book on regularization.

The map, in the order in which to read. What the book teaches needs nothing of what shows it:

=================  ==============================================================================
``penalties``      L1, L2, Elastic Net as objects: value, gradient, proximal operator
``solvers``        least squares with a penalty, from subgradient steps to the exact path
``linear``         ridge, lasso, Elastic Net as estimators and as paths; feature maps
``network``        layers with hand-derived gradients, losses, optimizers, callbacks, training
``augment``        new rows from old: images, text, sound, tables
``ensembles``      trees, bagging, forests, and what averaging can gain
``landscape``      the loss seen from outside: gradient noise, curvature, sharpness
``conventions``    one penalty strength in every library's own words
``data``           where rows come from: known truths, shipped data sets, invented transactions
``measure``        how we know: splits, cross-validation, intervals, calibration, grids, verdicts
``exercises``      the engine that checks answers; knows no lesson
``page``           what a reader sees: figures, explorables, players, verdicts, chapters
``lessons``        one folder a lesson: its drawings, its exercises and its verdicts
``grading``        a folder of notebooks: marks, feedback, what a class believes
``command``        what a person types in a shell: ``overfit read``, ``lab``, ``doctor``, ``grade``
=================  ==============================================================================
"""
