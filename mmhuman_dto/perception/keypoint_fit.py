"""Meshes by fitting a body model to people's 2D joints: no network of meshes, no gated file."""
import math
from functools import cache

import numpy as np
import torch

from mmhuman_dto.engine.device import pick_device
from mmhuman_dto.engine.model import init_model
from mmhuman_dto.fitting import KeypointFit
from mmhuman_dto.geometry import centered_intrinsics
from mmhuman_dto.registry import BODY_MODELS, SOURCES
from mmhuman_dto.structures import Camera, People
from mmhuman_dto.synthetic.poses import LIMITS, random_poses

from .base import MeshSource, SourceError

#: Focal length of a photo that does not tell, as part of its diagonal: a 35 mm lens on film of 36 x 24 mm.
GUESSED_FOCAL = 35 / math.hypot(36, 24)
#: Standard deviation of its logarithm: 26 to 47 mm are within one.
GUESSED_FOCAL_STD = .3
#: The spread of sizes in the picture is this part of what the fit's Hessian says: measured on rendered crowds
#: (tools/benchmark/fit_keypoint_terms.py).
SIZE_SHARE = .7
#: Years below which a person of known age is fitted as a child.
CHILD_AGE = 15
#: Example poses, half of them with the legs of another, noise in degrees.
POSES = dict(count=4000, seed=1, noise=10., swapped=.5)
#: Networks trained on COCO put hips this part of the way to the shoulders above a body model's hips: .06 in rendered
#: crowds, of which two thirds are taken, as poses get worse by more.
HIPS = .04
#: Steps of a fit that starts from known poses, and from a lifting network's.
STEPS, LIFTED_STEPS = 20, 4
#: A joint that scores less is not used.
MIN_SCORE = .1


@SOURCES.register_module()
class KeypointFitMeshes(MeshSource):
    """A body for each of ``detected_instances``, fitted to its ``keypoints_2d``; row i is person i.

    Where a sample has no ``pred_camera`` the focal length is a guess, ``GUESSED_FOCAL`` of the picture's diagonal:
    distances are then right but for a common factor, heights and poses nearly so. Heights come from the prior alone as
    long as nothing else tells them, see DTO; a person of the known age of a child (``detected_instances.ages``, years)
    gets a child's body.

    The people also have ``depths_std`` and ``heights_std``, m, and ``sizes_std``: how sure the fit is, the focal length
    being right; and ``keypoint_scores``, the picture's joints that they were fitted to.

    Args:
        body_model: a body model or its config; None: the recipe's, OpenBody outside of one.
        joint_set: of the keypoints.
        lifter: config of a lifting network whose answer each fit starts from, of the same body model and joint set
            (``'openbody_coco17'`` comes along); None: fits start from known poses, which takes more of them and steps.
        lifter_checkpoint: its weights; None: those that come with the package.
        hips, num_starts: see :class:`mmhuman_dto.fitting.KeypointFit`.
        steps: of a person; None: 4 with a lifter, 20 without.
        device: None is a GPU where there is one.

    Raises:
        SourceError: a sample without ``detected_instances`` that have ``keypoints_2d``.
        ValueError: a lifter of another body model or joint set.
    """
    needs = ('detected_instances.keypoints_2d', )
    focal_source, per_detection = 'guess', True

    def __init__(self, body_model=None, joint_set='coco17', lifter=None, lifter_checkpoint=None, hips=HIPS,
                 num_starts=3, steps=None, device=None):
        built = isinstance(body_model, torch.nn.Module)
        self.body_model = body_model if built else BODY_MODELS.build(body_model or dict(type='OpenBody'))
        limits = torch.from_numpy(np.radians(np.array(LIMITS)))
        device = pick_device(device)
        lift = lifter and self._lift(init_model(lifter, lifter_checkpoint, device), joint_set)
        self.fit = KeypointFit(self.body_model, example_poses(), limits, joint_set, hips, num_starts,
                               steps or (LIFTED_STEPS if lift else STEPS), lift, device=device)

    def _lift(self, network, joint_set):
        """What :class:`KeypointFit` calls ``lift``."""
        theirs = type(network.body_model).__name__, network.joint_set, network.num_betas
        ours = type(self.body_model).__name__, joint_set, self.body_model.num_betas
        if theirs != ours:
            raise ValueError('lifter gives {} from {} with {} betas, this fit is of {} to {} with {} betas: give a '
                             'lifter that was trained for it, or lifter=None'.format(*theirs, *ours))

        @torch.no_grad()
        def lift(keypoints, scores, intrinsics):
            return network.lift(keypoints.float(), scores.float(), intrinsics.float()).state
        return lift

    def __call__(self, samples):
        cameras = [camera_of(sample) for sample in samples]
        result = self.fit(*self._joints(samples, cameras), children=self._children(samples))
        depth = result.state.position[:, 2]
        people = self._people(samples, result, depths_std=depth * result.log_depth_std,
                              heights_std=result.heights * result.log_height_std,
                              sizes_std=SIZE_SHARE * result.log_size_std)
        return list(zip(people, cameras))

    def refit(self, samples):
        """list of samples whose ``pred_instances`` are placed -> list of :class:`People` fitted again there."""
        placed = [sample.pred_instances.cpu() for sample in samples]
        state = self.fit.state(*(torch.cat([getattr(people, name) for people in placed])
                                 for name in ('pose', 'betas', 'transl')))
        joints = self._joints(samples, [sample.pred_camera.cpu() for sample in samples])
        return self._people(samples, self.fit.refit(state, *joints))

    def _children(self, samples):
        """(N) bool, who is known to be a child."""
        people = [sample.detected_instances for sample in samples]
        return torch.cat([group.get('ages', torch.full((len(group), ), torch.nan)) for group in people]) < CHILD_AGE

    def _joints(self, samples, cameras):
        """Everybody's keypoints (N, J, 2), scores (N, J) and intrinsics (N, 3, 3)."""
        people = [detected(sample) for sample in samples]
        return (torch.cat([group.keypoints_2d for group in people]),
                torch.cat([_used(group.keypoints_2d_valid) for group in people]),
                torch.cat([camera.intrinsics.expand(len(group), 3, 3) for camera, group in zip(cameras, people)]))

    def _people(self, samples, result, **stated):
        pose, counts = result.pose.float().cpu(), [len(sample.detected_instances) for sample in samples]
        fields = dict(global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=result.state.betas, transl=result.transl,
                      **stated)
        parts = zip(*(values.float().cpu().split(counts) for values in fields.values()))
        return [People(num_people=count, **dict(zip(fields, values))) for values, count in zip(parts, counts)]


def detected(sample):
    """The ``detected_instances`` of a sample; SourceError where they have no ``keypoints_2d``."""
    people = sample.get('detected_instances')
    if people is None or 'keypoints_2d' not in people:
        raise SourceError(f'{sample.img_id}: no detected_instances with keypoints_2d; put a people source that has '
                          'joints (MoveNetJoints), or AddKeypoints, before')
    return people


def camera_of(sample):
    """A sample's ``pred_camera``, or a guess where it has none."""
    if 'pred_camera' in sample:
        return sample.pred_camera.cpu()
    size = sample.image.shape[:2] if 'image' in sample else sample.ori_shape
    return Camera(intrinsics=guessed_intrinsics(size), focal_std=torch.tensor(GUESSED_FOCAL_STD))


def guessed_intrinsics(size):
    """K (3, 3) of a photo of ``size`` (h, w) px that does not tell its focal length."""
    return centered_intrinsics(GUESSED_FOCAL * math.hypot(*size), *size[::-1])


@cache
def example_poses():
    """(M, 24, 3) rad of :data:`POSES`: the same for all fits, of which a recipe has two."""
    return torch.from_numpy(random_poses(**POSES))


def _used(valid):
    scores = valid.double()
    return torch.where(scores >= MIN_SCORE, scores, 0)
