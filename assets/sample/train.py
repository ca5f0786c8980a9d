"""The training that the sample workspace was recorded from.

Run it to make `recording.json`, the data files and the model files again:

    pip install scikit-learn==1.9.1
    python assets/sample/train.py

Data: the breast cancer (Wisconsin diagnostic) and wine recognition data sets that scikit-learn ships,
from the UCI Machine Learning Repository, both CC BY 4.0.
"""

import csv
import hashlib
import json
import pickle
import platform
import time
from pathlib import Path

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss, precision_score, recall_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
SEED = 7


def write_csv(name, data):
    path = HERE / f"{name}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([c.replace(" ", "_") for c in data.feature_names] + ["target"])
        for row, target in zip(data.data, data.target):
            writer.writerow([f"{v:g}" for v in row] + [int(target)])
    return hashlib.sha256(path.read_bytes()).hexdigest()


def scores(y, p):
    labels = p.argmax(axis=1)
    average = "binary" if p.shape[1] == 2 else "macro"
    area = roc_auc_score(y, p[:, 1]) if p.shape[1] == 2 else roc_auc_score(y, p, multi_class="ovr")
    return {
        "accuracy": accuracy_score(y, labels),
        "f1": f1_score(y, labels, average=average),
        "precision": precision_score(y, labels, average=average),
        "recall": recall_score(y, labels, average=average),
        "roc_auc": area,
    }


def neural_network(x, y, xt, yt, hidden, rate, epochs):
    scaler = StandardScaler().fit(x)
    xs, xts = scaler.transform(x), scaler.transform(xt)
    model = MLPClassifier(hidden_layer_sizes=(hidden,), learning_rate_init=rate, random_state=SEED)
    series = {"train_loss": [], "val_loss": [], "val_accuracy": []}
    classes = np.unique(y)
    for step in range(epochs):
        model.partial_fit(xs, y, classes=classes)
        p = model.predict_proba(xts)
        series["train_loss"].append([step, float(model.loss_)])
        series["val_loss"].append([step, float(log_loss(yt, p, labels=classes))])
        series["val_accuracy"].append([step, float(accuracy_score(yt, classes[p.argmax(axis=1)]))])
    return make_pipeline(scaler, model), series


def record(name, experiment, model, series, params, xt, yt, keep_model):
    run = {
        "name": name,
        "experiment": experiment,
        "params": {k: str(v) for k, v in params.items()},
        "series": series,
        "final": {k: float(v) for k, v in scores(yt, model.predict_proba(xt)).items()},
        "tags": {
            "mlflow.source.name": "assets/sample/train.py",
            "mlflow.source.type": "LOCAL",
            "estimator_name": type(model.steps[-1][1] if hasattr(model, "steps") else model).__name__,
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
        },
    }
    if keep_model:
        folder = HERE / "models" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.pkl").write_bytes(pickle.dumps(model, protocol=4))
        (folder / "MLmodel").write_text(
            "artifact_path: model\nflavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\n"
            f"  sklearn:\n    pickled_model: model.pkl\n    sklearn_version: {sklearn.__version__}\n    serialization_format: pickle\n"
        )
        run["model"] = f"models/{name}"
    return run


def main():
    runs, data = [], {}
    for name, loaded, experiment in [
        ("breast_cancer", load_breast_cancer(), "tumour-screening"),
        ("wine", load_wine(), "wine-sorting"),
    ]:
        digest = write_csv(name, loaded)
        data[name] = {"file": f"{name}.csv", "sha256": digest}
        x, xt, y, yt = train_test_split(loaded.data, loaded.target, test_size=0.3, random_state=SEED, stratify=loaded.target)
        for c in (0.01, 0.1, 1.0):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=500, random_state=SEED)).fit(x, y)
            runs.append(record(f"logistic-{experiment[:4]}-C{c:g}", experiment, model, {}, {"model": "logistic", "C": c}, xt, yt, c == 1.0))
        for trees in (10, 60):
            model = RandomForestClassifier(n_estimators=trees, max_depth=4, random_state=SEED).fit(x, y)
            runs.append(record(f"forest-{experiment[:4]}-{trees}", experiment, model, {}, {"model": "forest", "trees": trees, "max_depth": 4}, xt, yt, False))
        for hidden, rate in ((8, 0.003), (24, 0.01)):
            model, series = neural_network(x, y, xt, yt, hidden, rate, 60)
            runs.append(record(f"network-{experiment[:4]}-{hidden}", experiment, model, series, {"model": "network", "hidden": hidden, "learning_rate": rate, "epochs": 60}, xt, yt, False))
    (HERE / "recording.json").write_text(json.dumps({"recorded_at": time.strftime("%Y-%m-%d"), "seed": SEED, "data": data, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
