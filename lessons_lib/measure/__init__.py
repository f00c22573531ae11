"""How we know: splits, cross-validation, intervals, calibration, metrics, grids of experiments.

Also verdicts, with the range of settings in which they hold. Here lives what judges a model or a
method, whichever it is. No method lives here, no data, and nothing that draws.
"""

from lessons_lib.measure.bias_variance import BiasVariance, bias_variance_decomposition
from lessons_lib.measure.calibration import (
    ReliabilityCurve,
    expected_calibration_error,
    fit_temperature,
    maximum_calibration_error,
    reliability_curve,
)
from lessons_lib.measure.cross_validation import (
    cross_val_loss,
    learning_curve,
    validation_curve,
)
from lessons_lib.measure.experiments import choose_by_validation, run_grid
from lessons_lib.measure.fingerprint import fingerprint
from lessons_lib.measure.intervals import (
    ConfidenceInterval,
    Unit,
    confidence_interval,
    mean_confidence_interval,
    paired_confidence_interval,
    paired_difference,
    share_confidence_interval,
)
from lessons_lib.measure.one_standard_error import one_standard_error_rule
from lessons_lib.measure.rare_events import (
    average_precision_ceiling,
    correct_prior,
    expected_cost,
    recall_at_alert_rate,
)
from lessons_lib.measure.records import Record, compute, find_verdict, read_map, verdicts_of
from lessons_lib.measure.robustness import (
    Cell,
    Knob,
    RobustnessMap,
    Verdict,
    run_cell,
    run_pair,
    show_value,
)
from lessons_lib.measure.splits import KFold, Splitter, StratifiedKFold, train_validation_test_split

__all__ = [
    "BiasVariance",
    "Cell",
    "ConfidenceInterval",
    "KFold",
    "Knob",
    "Record",
    "ReliabilityCurve",
    "RobustnessMap",
    "Splitter",
    "StratifiedKFold",
    "Unit",
    "Verdict",
    "average_precision_ceiling",
    "bias_variance_decomposition",
    "choose_by_validation",
    "compute",
    "confidence_interval",
    "correct_prior",
    "cross_val_loss",
    "expected_calibration_error",
    "expected_cost",
    "find_verdict",
    "fingerprint",
    "fit_temperature",
    "learning_curve",
    "maximum_calibration_error",
    "mean_confidence_interval",
    "one_standard_error_rule",
    "paired_confidence_interval",
    "paired_difference",
    "read_map",
    "recall_at_alert_rate",
    "reliability_curve",
    "run_cell",
    "run_grid",
    "run_pair",
    "share_confidence_interval",
    "show_value",
    "train_validation_test_split",
    "validation_curve",
    "verdicts_of",
]
