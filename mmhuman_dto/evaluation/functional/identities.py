"""Who is who through a video, against the truth: IDF1, CLEAR MOT's counts, HOTA.

Definitions: Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", ECCVW 2016
(IDF1, IDP, IDR); Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT
Metrics", 2008 (MOTA, switches); Milan et al., "MOT16", 2016 (fragmentations); Luiten et al., "HOTA", IJCV 2020.
"""
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

#: Similarities at which HOTA looks, whose mean it is.
HOTA_LEVELS = np.arange(.05, 1, .05)


class IdentityFrame(NamedTuple):
    """One frame: ids of the T people annotated and of the P predicted, each at most once, and how alike they are.

    ``similarity`` (T, P): of boxes their IoU; of places anything that falls with the distance, as
    :func:`place_similarity`.
    """
    true: np.ndarray
    pred: np.ndarray
    similarity: np.ndarray


def place_similarity(true, pred, reach=1.):
    """(T, P) 0..1 of places (T, 3) and (P, 3), m: 1 where they agree, .5 at ``reach`` m, 0 from twice that on."""
    distance = np.linalg.norm(true[:, None] - pred[None], axis=-1)
    return np.clip(1 - distance / (2 * reach), 0, 1)


def identity_metrics(sequences, threshold=.5):
    """Figures of videos.

    Args:
        sequences: list of videos, each a list of :class:`IdentityFrame` in the order of time. Ids are a video's own.
        threshold: pairs count from this similarity on.

    Returns:
        dict: ``idf1``, ``idp``, ``idr``, ``mota``, ``hota`` (%; nan without anybody) and the counts ``switches``,
        ``fragmentations``, ``misses``, ``false_positives``, ``people`` (annotated, all frames).
    """
    true_positives, counts, hota = np.zeros(3), np.zeros(5, dtype=int), []
    for frames in sequences:
        true_positives += _identity_counts(frames, threshold)
        counts += _clear_counts(frames, threshold)
        hota.append(_hota_counts(frames))
    same, num_true, num_pred = true_positives
    switches, fragmentations, misses, false, people = counts.tolist()
    return dict(
        idf1=_percent(2 * same, num_true + num_pred), idp=_percent(same, num_pred), idr=_percent(same, num_true),
        mota=_percent(people - misses - false - switches, people), hota=_hota(hota), switches=switches,
        fragmentations=fragmentations, misses=misses, false_positives=false, people=people)


def _percent(part, whole):
    return float(100 * part / whole) if whole else float('nan')


def _tables(frames, threshold):
    """Counts of frames: where two ids are alike enough (true, pred), where each is; and the indices of the ids."""
    true, pred = ({id_: row for row, id_ in enumerate(np.unique(np.concatenate(
        [np.zeros(0, int), *(getattr(frame, name) for frame in frames)])))} for name in ('true', 'pred'))
    together, num_true, num_pred = np.zeros((len(true), len(pred))), np.zeros(len(true)), np.zeros(len(pred))
    for frame in frames:
        rows, columns = [true[i] for i in frame.true], [pred[i] for i in frame.pred]
        together[np.ix_(rows, columns)] += frame.similarity >= threshold
        num_true[rows] += 1
        num_pred[columns] += 1
    return together, num_true, num_pred, true, pred


def _identity_counts(frames, threshold):
    """People right in the best one-to-one pairing of ids, annotated ones, predicted ones."""
    together, num_true, num_pred, _, _ = _tables(frames, threshold)
    rows, columns = linear_sum_assignment(together, maximize=True)
    return np.array([together[rows, columns].sum(), num_true.sum(), num_pred.sum()])


def _clear_counts(frames, threshold):
    """Switches, fragmentations, misses, false positives, annotated people.

    A pair of the frame before stays where it still counts; the others are paired so that their similarity is greatest.
    As in TrackEval, frames in which nobody is annotated, or nobody predicted, interrupt no pair.
    """
    last, before, seen = {}, {}, set()  # true id -> pred id: the last one, and that of the frame before; who was found
    counts = np.zeros(5, dtype=int)
    for frame in frames:
        pairs = _paired(frame, before, threshold)
        switches = sum(true in last and last[true] != pred for true, pred in pairs.items())
        broken = sum(true in seen and true not in before for true in pairs)
        counts += (switches, broken, len(frame.true) - len(pairs), len(frame.pred) - len(pairs), len(frame.true))
        last.update(pairs)
        seen.update(pairs)
        before = pairs if frame.similarity.size else before
    return counts


def _paired(frame, before, threshold):
    """True id -> pred id of one frame."""
    value = np.where(frame.similarity >= threshold, frame.similarity, 0)
    kept = np.array([[before.get(true) == pred for pred in frame.pred.tolist()] for true in frame.true.tolist()], bool)
    value += 1000 * (value > 0) * kept.reshape(value.shape)
    return {int(frame.true[i]): int(frame.pred[j]) for i, j in zip(*linear_sum_assignment(value, maximize=True))
            if value[i, j] > 0}


def _hota_counts(frames):
    """(levels, 4): pairs found, sum of their association's IoU, annotated people, predicted people."""
    alike, num_true, num_pred, true, pred = _tables(frames, -np.inf)
    alike[:] = 0
    for frame in frames:
        whole = frame.similarity.sum(0, keepdims=True) + frame.similarity.sum(1, keepdims=True) - frame.similarity
        alike[np.ix_([true[i] for i in frame.true], [pred[i] for i in frame.pred])] += np.where(
            whole > 0, frame.similarity / np.maximum(whole, 1e-12), 0)
    alike /= np.maximum(num_true[:, None] + num_pred[None] - alike, 1e-12)
    together = np.zeros((len(HOTA_LEVELS), *alike.shape))
    for frame in frames:
        rows, columns = [true[i] for i in frame.true], [pred[i] for i in frame.pred]
        best = linear_sum_assignment(alike[np.ix_(rows, columns)] * frame.similarity, maximize=True)
        for i, j in zip(*best):
            together[:, rows[i], columns[j]] += frame.similarity[i, j] >= HOTA_LEVELS - 1e-9
    association = together / np.maximum(num_true[:, None] + num_pred[None] - together, 1)
    found = together.sum((1, 2))
    return np.stack([found, (together * association).sum((1, 2)), np.full_like(found, num_true.sum()),
                     np.full_like(found, num_pred.sum())], 1)


def _hota(counts):
    found, association, num_true, num_pred = np.sum(counts, 0).T if counts else np.zeros((4, 1))
    whole = num_true + num_pred - found
    if not whole.all():
        return float('nan')
    detection = found / whole
    return float(100 * np.sqrt(detection * association / np.maximum(found, 1)).mean())
