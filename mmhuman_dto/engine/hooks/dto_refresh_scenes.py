"""Annotated people placed anew by DTO, from the bodies that a network sees in them."""
import numpy as np
import torch

from mmhuman_dto.dto.moving import refocus
from mmhuman_dto.geometry import project
from mmhuman_dto.geometry.matching import match_people
from mmhuman_dto.structures import Camera, HumanDataSample, People

#: What is updated of a person; the last two by solvers that know how sure they are.
UPDATED = ('transl', 'betas', 'heights', 'depths_std', 'heights_std')


class SceneRefresher:
    """DTO on annotated images, started from what a network predicts for them.

    The network says how people are built. Pose, direction and size in the picture stay the annotation's, which the kept
    evidence belongs to: a matched person starts as far away as the predicted body has to be to look that large. Every
    round starts from the annotation again, never from labels that came out of a round before.

    Args:
        body_model: of annotation and network.
        dto: a :class:`mmhuman_dto.dto.DTOOptimizer`.
        min_iou: least overlap of a person's and a prediction's box of joints.
    """

    def __init__(self, body_model, dto, min_iou):
        self.body_model, self.dto, self.min_iou = body_model, dto, min_iou

    @torch.no_grad()
    def __call__(self, rows, last, predictions):
        """New labels of a batch of images with people.

        Args:
            rows: samples of an annotated table, with ``dto_evidence``.
            last: samples with ``pred_instances`` and ``pred_camera`` of the labels that are in use.
            predictions: samples with ``pred_instances`` and ``pred_camera``, px of the original image.

        Returns:
            samples with ``pred_instances`` (``UPDATED``), ``pred_camera`` and metainfo ``moved`` (N) bool: who was
            found, was placed by DTO, and has a surer depth than before. All others keep their last label, farther or
            nearer as the camera was changed.
        """
        samples = [_initial(row) for row in rows]
        found = [self._take_bodies(*pair) for pair in zip(samples, predictions)]
        result = self.dto.solve(samples, self.body_model)
        placed = result.apply(samples, self.body_model, keep_dropped=True)
        return [self._choose(sample, self._label(label), who & _placed(result, scene, len(who)))
                for scene, (sample, label, who) in enumerate(zip(placed, last, found))]

    def _take_bodies(self, sample, prediction):
        """Give people the bodies predicted for them, in place; (N) bool, who has got one."""
        people, predicted = sample.pred_instances, prediction.pred_instances
        joints = self.body_model.skeleton(people.pose, people.betas, people.transl)
        pixels = project(joints, sample.pred_camera.intrinsics)
        inside = ((pixels >= 0) & (pixels < pixels.new_tensor(sample.ori_shape[::-1]))).all(-1) & (joints[..., 2] > 0)
        theirs = project(self.body_model.skeleton(predicted.pose, predicted.betas, predicted.transl),
                         prediction.pred_camera.intrinsics)
        heights = self.body_model.height(predicted.betas)
        sane = (heights > 0) & heights.isfinite() & theirs.isfinite().all(-1).all(-1)
        usable = sane.nonzero()[:, 0]
        matches = match_people(*(values.cpu().numpy() for values in (theirs[usable], pixels, inside)), self.min_iou)
        row = torch.from_numpy(matches.true).to(usable)
        query = usable[torch.from_numpy(matches.pred).to(usable)]
        growth = heights[query] / self.body_model.height(people.betas[row])
        betas = predicted.betas[query]
        people.transl[row] = joints[row, 0] * growth[:, None] - self._rest_root(betas)
        people.betas[row] = betas
        return torch.zeros(len(people), dtype=torch.bool, device=row.device).index_fill(0, row, True)

    def _rest_root(self, betas):
        pose = betas.new_zeros(len(betas), self.body_model.num_body_joints + 1, 3)
        return self.body_model.skeleton(pose, betas, None)[:, 0]

    def _label(self, sample):
        """A label with all columns: unknown ones are nan."""
        people = sample.pred_instances
        unknown = torch.full_like(people.transl[:, 0], torch.nan)
        fields = {name: people.get(name, unknown) for name in UPDATED}
        if 'heights' not in people:
            fields['heights'] = self.body_model.height(people.betas)
        label = HumanDataSample()
        label.pred_instances, label.pred_camera = People(**fields), sample.pred_camera
        return label

    def _choose(self, solved, label, found):
        """The label, changed where the solved scene is surer; the camera is the solved one's if anybody's is."""
        new, old = solved.pred_instances, label.pred_instances
        moved = found & _surer(new, old)
        if moved.any():
            factor = (solved.pred_camera.intrinsics / label.pred_camera.intrinsics)[1, 1]
            old.transl = refocus(self.body_model, old.betas, old.transl, factor.expand(len(old)))
            old.depths_std = old.depths_std * factor
            label.pred_camera = Camera(intrinsics=solved.pred_camera.intrinsics)
            unknown = torch.full_like(old.heights, torch.nan)
            for name in UPDATED:
                value = new.get(name, unknown)
                where = moved.reshape(-1, *[1] * (value.ndim - 1))
                old.set_field(torch.where(where, value.to(old[name]), old[name]), name)
        label.set_metainfo(dict(moved=moved))
        return label


def _initial(row):
    """A table's sample as DTO takes it, free to be changed."""
    sample = HumanDataSample(metainfo=dict(ori_shape=row.ori_shape))
    sample.pred_instances = People(**{name: value.clone() for name, value in row.pred_instances.items()
                                      if name not in ('depths_std', 'heights_std')})
    sample.pred_camera = Camera(intrinsics=row.pred_camera.intrinsics)
    return sample


def _placed(result, scene, count):
    """(count) whether the solver placed each person of a scene; others keep their initial distance exactly."""
    mask = result.problem.mask[scene]
    placed = torch.zeros(count, dtype=torch.bool, device=mask.device)
    placed[result.problem.person_index[scene][mask]] = result.scale[scene][mask] != 1
    return placed


def _surer(new, old):
    """(N) whether new depths are relatively surer than old ones; unknown is least sure, solvers that don't say win."""
    if 'depths_std' not in new:
        return torch.ones(len(new), dtype=torch.bool, device=new.transl.device)
    before, after = (people.depths_std / people.transl[:, 2] for people in (old, new))
    return ~(after >= before)


def as_columns(people, cameras, num_betas):
    """{column: array} of flat rows: people (M, 6 + betas) in the order of ``UPDATED``, cameras (N, 9)."""
    widths = dict.fromkeys(UPDATED, 1) | dict(transl=3, betas=num_betas)
    parts = np.split(people, np.cumsum([widths[name] for name in UPDATED])[:-1], axis=1)
    columns = {f'people.{name}': part if name in ('transl', 'betas') else part[:, 0]
               for name, part in zip(UPDATED, parts)}
    return {**columns, 'image.intrinsics': cameras.reshape(-1, 3, 3)}


def as_rows(label):
    """The flat rows of :func:`as_columns` of one image, (N, 6 + betas) and (9)."""
    people = label.pred_instances
    rows = torch.cat([people[name].reshape(len(people), -1) for name in UPDATED], 1)
    return rows.float().cpu(), label.pred_camera.intrinsics.float().cpu().flatten()
