"""One-stage recovery of all people of an image, in metres."""
import logging

import torch
from mmengine.model import BaseModel

from mmhuman_dto.geometry import matrix_to_axis_angle, project, rotation_6d_to_matrix
from mmhuman_dto.geometry.boxes import corners
from mmhuman_dto.geometry.precision import at_least_single
from mmhuman_dto.registry import BODY_MODELS, MODELS, TASK_UTILS
from mmhuman_dto.structures import Camera, People, to_original

from ..heads import PeopleHead
from ..layers.found_people import picture_camera
from ..layers.lifted_start import LiftedStart
from ..layers.mlp import zero_last

#: What a head says that a body and its place are made of, and what is made, a query; ``pred_intrinsics`` an image.
_BODY_PARAMETERS = ('pose_6d', 'cameras', 'offset', 'size')
_MADE = ('pred_boxes', 'pred_poses', 'pred_j3ds', 'pred_j2ds', 'pred_transl', 'pred_depths', 'pred_intrinsics')
#: Added to a depth that is divided by: as the public weights were trained.
_EPS = 1e-6
_LOGGER = logging.getLogger(__name__)


@MODELS.register_module()
class MetricHMR(BaseModel):
    """Metric-Aware HMR (arXiv 2511.13282): encoder, box-query decoder, people and camera heads, body model.

    Args:
        backbone: encoder config (``ScaleAdaptiveViT``, ``VisionTransformer``).
        decoder: config of the decoder.
        head: config of the people head.
        camera_head: config of ``FoVHead`` (the camera branch) or ``FixedFoV``.
        body_model: config of a body model; its weights are not part of the network's.
        joint_set: joints that are put out: ``'smpl45'`` or ``'crowdpose14'`` (for Relative Human).
        criterion: config of the losses (``SetCriterion``), for training.
        targets: config of what makes the criterion's targets from samples, for training.
        denoising: config of the noisy queries that training adds; None: none.
        threshold: confidence above which a query is a person.
        test_cfg: ``dict(dto=dict(type='RefineByDTO', ...))`` places predictions together by DTO, on
            ``pred_maps.disparity`` of the samples, px of the input; None: as the network sees them.
        lifter: config of a lifting network whose answer for the people that the backbone finds (``MoveNetBackbone``) is
            what decoder and head start from; None: they start from what was learned.
        data_preprocessor, init_cfg: MMEngine's.
    """

    def __init__(self, backbone, decoder, head, camera_head, body_model, joint_set='smpl45', criterion=None,
                 targets=None, denoising=None, threshold=.5, test_cfg=None, lifter=None, data_preprocessor=None,
                 init_cfg=None):
        super().__init__(data_preprocessor and MODELS.build(data_preprocessor), init_cfg)
        self.backbone = MODELS.build(backbone)
        self.decoder = MODELS.build(decoder)
        self.head = MODELS.build(head)
        self.camera_head = MODELS.build(camera_head)
        self.start = lifter and LiftedStart(lifter, self.decoder.dims)
        if lifter:
            zero_last(self.head.camera_head)
        self.body_model = BODY_MODELS.build(body_model)
        self.joint_model = self.body_model.thinned(joint_set)
        self.criterion = criterion and MODELS.build(criterion)
        self.targets = targets and TASK_UTILS.build(targets)
        self.denoising = denoising and TASK_UTILS.build(denoising)
        dto = (test_cfg or {}).get('dto')
        self.refine = dto and TASK_UTILS.build(dto)
        self.joint_set, self.threshold = joint_set, threshold
        if self.criterion is not None:
            self.criterion.check(self.predictions)

    @property
    def input_size(self):
        """Long side of the images, px; also the unit of boxes."""
        return self.backbone.input_size

    @property
    def predictions(self):
        """Names of all that losses and costs can look at: the head's, those made of them here, and the backbone's."""
        said = {f'pred_{name}' for name in self.head.outputs if name not in _BODY_PARAMETERS}
        return said | set(_MADE) | set(getattr(self.backbone, 'outputs', ()))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        """Run the network.

        Args:
            inputs: list of B images (3, H, W), normalised, padded to multiples of 56 px.
            data_samples: list of samples with ``img_shape`` (h, w), the size without padding; None: not padded.
            mode: ``'tensor'``: :meth:`outputs`; ``'loss'``: dict of losses; ``'predict'``: the samples with
                ``pred_instances`` (most confident first) and ``pred_camera``, all of whose pixels, and those of the
                truth, are those of the original image (:func:`~mmhuman_dto.structures.to_original`).
        """
        if mode not in ('tensor', 'loss', 'predict'):
            raise ValueError(f"unknown mode {mode!r}, expected 'tensor', 'loss' or 'predict'")
        sizes = [image.shape[1:] for image in inputs] if data_samples is None else [
            sample.img_shape for sample in data_samples]
        if mode == 'loss':
            return self._losses(inputs, sizes, data_samples)
        outputs = self.outputs(inputs, sizes)
        return outputs if mode == 'tensor' else self._predict(outputs, data_samples)

    def _dump_init_info(self):
        """MMEngine would write three lines a parameter into the log's file."""

    def outputs(self, images, sizes, extra_queries=None):
        """Predictions for all queries.

        Args:
            images: list of B images (3, H, W). sizes: list of (h, w) without padding, px.
            extra_queries: put before the learned ones, see :meth:`BoxQueryDecoder.forward`; Q counts them too.

        Returns:
            dict of ``pred_boxes`` (B, Q, 4) cx, cy, w, h in units of ``input_size``, ``pred_confs`` (B, Q, 1),
            ``pred_poses`` (B, Q, 3 (1 + P)) rad, ``pred_betas``, ``pred_j3ds`` (B, Q, J, 3) m camera, ``pred_j2ds``
            (B, Q, J, 2) px, ``pred_transl`` (B, Q, 3) m, ``pred_depths`` (B, Q, 2) z in m and z / f, and what else the
            head says; ``layers``: a dict of the same (L, B, Q, ...) of all layers, the last one last;
            ``pred_intrinsics`` (B, 1, 3, 3); with scale adaptation ``scale_map`` (cells, 2), ``scale_map_cells``
            (cells, 2) y, x on the host, and ``scale_map_lens``, cells of each image.
        """
        tokens = self.backbone(images)
        camera = at_least_single(tokens.camera)  # metres and pixels need more than the three digits of bfloat16
        sizes = torch.tensor([tuple(size) for size in sizes], dtype=camera.dtype).to(camera.device, non_blocking=True)
        with torch.autocast(camera.device.type, enabled=False):
            intrinsics = self.camera_head(camera, sizes)
            bodies = self.start and self.start(tokens.people, intrinsics, self.input_size)
        contents, boxes = self.decoder(tokens, extra_queries)
        with torch.autocast(camera.device.type, enabled=False):
            raw = self._started(self.head(at_least_single(contents)), tokens.people, bodies)
            layers = self._layers(raw, boxes, intrinsics)
        outputs = {name: value[-1] for name, value in layers.items()}
        outputs.update(layers=layers, pred_intrinsics=intrinsics[:, None])
        if tokens.scale_map is not None:
            outputs.update(scale_map=tokens.scale_map, scale_map_cells=tokens.scale_map_cells,
                           scale_map_lens=tokens.scale_map_packing.lens)
        return outputs

    def _losses(self, images, sizes, data_samples):
        if self.criterion is None or self.targets is None:
            raise ValueError('this model was built without criterion and targets, so it has no losses')
        targets = self.targets(data_samples, self.body_model, self.input_size, self.criterion.labels)
        noisy = self.denoising and self.denoising(targets, self.decoder.num_queries)
        return self.criterion(self.outputs(images, sizes, noisy), targets, noisy)

    def vertices(self, outputs):
        """Meshes (B, Q, V, 3), m, camera frame, of :meth:`outputs`: no loss needs them, so they are made on demand."""
        return self.body_model(outputs['pred_poses'], outputs['pred_betas'], outputs['pred_transl']).vertices

    def _started(self, raw, people, bodies):
        """What the head says, and the ``offset`` and ``size`` of its cameras, from where people were found on."""
        if bodies is None:
            offset, size = picture_camera(raw['cameras'])
            return dict(raw, offset=offset, size=size)
        bodies.pose_6d = bodies.pose_6d - self.head.mean_pose.unflatten(0, (-1, 6))
        bodies.betas = bodies.betas - self.head.mean_shape
        return people.lead(raw, bodies, self.decoder.num_queries)

    def _layers(self, raw, boxes, intrinsics):
        """Everything the layers predict, name -> (L, B, Q, ...); all layers in one pass of the body model."""
        focal = intrinsics[:, None, 0, 0]
        offset, size = raw['offset'], raw['size']
        z = 2 * focal[..., None] / (size * self.input_size)
        transl = torch.cat([offset / size, z], -1)
        poses = matrix_to_axis_angle(rotation_6d_to_matrix(raw['pose_6d'])).flatten(-2)
        joints = self.joint_model.select_joints(self.joint_model(poses, raw['betas'], transl), self.joint_set)
        projected = joints / (joints[..., 2:] + _EPS) @ intrinsics[:, None].transpose(-1, -2)
        said = {f'pred_{name}': value for name, value in raw.items() if name not in _BODY_PARAMETERS}
        return dict(
            said, pred_boxes=boxes, pred_poses=poses, pred_j3ds=joints, pred_j2ds=projected[..., :2],
            pred_transl=transl, pred_depths=torch.cat([z, z / focal[..., None]], -1))

    def _predict(self, outputs, data_samples):
        """Set ``pred_instances`` (people, most confident first) and ``pred_camera`` of each sample; original px.

        Nobody is found in a picture that could not be read (metainfo ``unreadable``), nor by queries whose answer is
        not finite, which a warning counts.
        """
        found = outputs['pred_confs'][..., 0] > self.threshold
        finite = torch.stack([value.isfinite().reshape(*found.shape, -1).all(2) for name, value in outputs.items()
                              if name.startswith('pred_') and value.shape[1] == found.shape[1]]).all(0)
        found &= finite & torch.tensor([['unreadable' not in sample] for sample in data_samples], device=found.device)
        for sample, count in zip(data_samples, (~finite).sum(1).tolist()):
            if count:
                _LOGGER.warning('%s: %d of %d predictions are not finite and count as nobody',
                                sample.get('img_id', 'sample'), count, found.shape[1])
        for i, sample in enumerate(data_samples):
            one = {name: value[i] for name, value in outputs.items() if name.startswith('pred_')}
            queries = found[i].nonzero()[:, 0]
            queries = queries[one['pred_confs'][queries, 0].argsort(descending=True)]
            sample.pred_instances = self._to_people(
                {name: value[queries] for name, value in one.items() if name != 'pred_intrinsics'})
            sample.pred_camera = Camera(intrinsics=one['pred_intrinsics'][0])
        if self.refine:
            data_samples = self._place_together(data_samples)
        for sample in data_samples:
            sample.pop('pred_maps', None)  # DTO's, in the network's pixels; asked for or not, they have done their work
        return [to_original(sample) for sample in data_samples]

    def _place_together(self, samples):
        """DTO on all samples; joints follow the people, boxes stay."""
        samples = self.refine(samples, self.body_model)
        for sample in samples:
            people = sample.pred_instances
            posed = self.joint_model(people.pose, people.betas, people.transl)
            people.keypoints_3d = self.joint_model.select_joints(posed, self.joint_set)
            people.keypoints_2d = project(people.keypoints_3d, sample.pred_camera.intrinsics)
        return samples

    def _to_people(self, pred):
        pose = pred['pred_poses'].unflatten(-1, (-1, 3))
        return People(
            global_orient=pose[:, 0], body_pose=pose[:, 1:], betas=pred['pred_betas'], transl=pred['pred_transl'],
            scores=pred['pred_confs'][:, 0], bboxes=corners(pred['pred_boxes']) * self.input_size,
            keypoints_2d=pred['pred_j2ds'], keypoints_3d=pred['pred_j3ds'],
            heights=self.body_model.height(pred['pred_betas']),
            **{name: pred[f'pred_{name}'] for name in self.head.outputs if name not in PeopleHead.outputs})
