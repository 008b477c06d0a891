"""A BentoML service, as its pages advise for scikit-learn: arrays in, adaptive batching on."""

import os
import warnings

import bentoml
import joblib
import numpy as np

# the model was fitted on a data frame; arrays have no names, and every call would say so
warnings.filterwarnings("ignore", message="X does not have valid feature names")


@bentoml.service(
    workers=int(os.environ["WORKERS"]), logging={"access": {"enabled": False}}
)
class Model:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL"])

    @bentoml.api(batchable=True, batch_dim=0, max_batch_size=1000, max_latency_ms=1000)
    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.model.predict(rows)
