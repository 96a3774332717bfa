"""Logistic regression and the nearest class mean against scikit-learn, on whitened inputs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid

from models.classifiers.linear import fit_logistic, fit_nearest_mean
from models.classifiers.whitening import fit_whitener


def blobs(classes=4, count=200, size=6, seed=0):
    rng = np.random.default_rng(seed)
    middles = rng.normal(0, 1.2, (classes, size))
    answers = rng.integers(classes, size=count)
    values = middles[answers] + rng.normal(size=(count, size)) * rng.uniform(0.5, 2, size) + rng.normal(0, 9, size)
    return values.astype(np.float32), answers.astype(np.int64)


@pytest.mark.parametrize("c", [0.1, 1.0, 10.0])
def test_logistic_regression_is_scikit_learns(c: float):
    values, answers = blobs()
    white = fit_whitener(values, answers)
    theirs = LogisticRegression(C=c, tol=1e-8, max_iter=2000).fit(white(values), answers)
    ours = fit_logistic(values, answers, 4, c)
    unseen, _ = blobs(seed=1)
    found = softmax(ours.logits(unseen), axis=1)
    assert_allclose(found, theirs.predict_proba(white(unseen)), atol=2e-3)
    assert (found.argmax(axis=1) == theirs.predict(white(unseen))).mean() > 0.99


def test_two_classes_are_no_special_case():
    values, answers = blobs(classes=2)
    white = fit_whitener(values, answers)(values)
    theirs = LogisticRegression(C=2.0, tol=1e-8).fit(white, answers)  # w and -w cost half of what 2 w alone does
    ours = softmax(fit_logistic(values, answers, 2, 1.0).logits(values), axis=1)
    assert_allclose(ours[:, 1], theirs.predict_proba(white)[:, 1], atol=2e-3)


def test_the_nearest_mean_is_scikit_learns():
    values, answers = blobs(seed=3)
    white = fit_whitener(values, answers)
    theirs = NearestCentroid().fit(white(values), answers)
    unseen, _ = blobs(seed=4)
    ours = fit_nearest_mean(values, answers, 4).logits(unseen)
    assert_array_equal(ours.argmax(axis=1), theirs.predict(white(unseen)))


def test_the_nearest_mean_is_fishers_discriminant():
    values, answers = blobs(seed=6, count=2000)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.25] * 4).fit(values, answers)
    ours = fit_nearest_mean(values, answers, 4).logits(values).argmax(axis=1)
    assert (ours == theirs.predict(values)).mean() > 0.995


def test_probabilities_of_the_nearest_mean_are_those_of_equal_round_clouds():
    values, answers = blobs(seed=5)
    model = fit_nearest_mean(values, answers, 4)
    inputs = model.whitener(values)
    means = np.stack([inputs[answers == number].mean(axis=0) for number in range(4)])
    density = np.exp(-0.5 * ((inputs[:, None] - means) ** 2).sum(axis=2))
    assert_allclose(softmax(model.logits(values), axis=1), density / density.sum(axis=1, keepdims=True), rtol=1e-6)


def test_a_number_that_never_changes_says_nothing():
    values, answers = blobs()
    dead = np.column_stack([values, np.full(len(values), 3.0, np.float32)])
    for fit in (fit_logistic, fit_nearest_mean):
        assert_allclose(fit(dead, answers, 4).logits(dead), fit(values, answers, 4).logits(values), atol=1e-3)
