"""From annotated samples to what the network should answer."""
from functools import partial

import torch
from torch import nn

from mmhuman_dto.body_models.joint_sets import names_of, to_joint_set
from mmhuman_dto.geometry.boxes import from_corners
from mmhuman_dto.geometry.camera import project
from mmhuman_dto.geometry.morton import morton_order
from mmhuman_dto.registry import TASK_UTILS
from mmhuman_dto.structures import FIELDS

from .targets import Targets

_MESH = ('global_orient', 'body_pose', 'betas', 'transl')


def unique_edges(faces):
    """Edges (E, 2) of triangles (F, 3), each once."""
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return edges.sort(-1).values.unique(dim=0)


def _who_has_a_mesh(sample, body_model):
    """Whether each of the sample's people has a mesh, on the host."""
    people, name = sample.gt_instances, sample.get('img_id', 'sample')
    if not all(field in people for field in _MESH):
        return [False] * len(people)
    has_mesh = people.has_mesh.bool().tolist() if 'has_mesh' in people else [True] * len(people)
    if any(has_mesh):
        if 'body_model' in sample:
            body_model.check_meshes_of(sample.body_model, name)
        if people.betas.shape[1] != body_model.num_betas:
            raise ValueError(f'{name}: betas have {people.betas.shape[1]} coefficients, {type(body_model).__name__} '
                             f'takes {body_model.num_betas}: give num_betas={body_model.num_betas} to HumanTable')
        if 'gt_camera' not in sample:
            raise ValueError(f'{name}: meshes without gt_camera are nowhere in the image; leave them out, or give the '
                             'intrinsics they were estimated with')
    return has_mesh


def _meshes(samples, meshed, targets):
    """Pose (M, 1 + P, 3), betas (M, B) and transl (M, 3) of those who have a mesh."""
    people = [sample.gt_instances if all(has_mesh) else sample.gt_instances[torch.tensor(has_mesh)]
              for sample, has_mesh in zip(samples, meshed) if any(has_mesh)]
    nobody = dict(pose=targets.poses[:0].unflatten(-1, (-1, 3)), betas=targets.betas[:0], transl=targets.boxes[:0, :3])
    return [torch.cat([empty, *(getattr(part, name).float() for part in people)]) for name, empty in nobody.items()]


def _of_meshes(name, samples, meshed, device):
    """What a field says of those who have a mesh (M) bool; True where it is absent."""
    people = [sample.gt_instances for sample in samples]
    said = [part[name].bool() if name in part else torch.ones(len(part), dtype=torch.bool, device=device)
            for part in people]
    return torch.cat([values if all(has_mesh) else values[torch.tensor(has_mesh)]
                      for values, has_mesh in zip(said, meshed)])


def _label(name, samples, targets):
    """A field of people (T, ...), 0 where unknown, and who has it (T)."""
    people, spec = [sample.gt_instances for sample in samples], FIELDS[name]
    given = [part[name] for part in people if name in part]
    row = given[0].shape[1:] if given else [size if isinstance(size, int) else 1 for size in spec.row]
    dtype = torch.float32 if spec.floating else given[0].dtype if given else torch.int64
    zeros = partial(torch.zeros, dtype=dtype, device=targets.boxes.device)
    values = torch.cat([part[name].to(dtype) if name in part else zeros(len(part), *row) for part in people])
    there = torch.tensor([name in part for part in people])[targets.image_index()].to(values.device, non_blocking=True)
    known = there & torch.isfinite(values[:, None].flatten(1)).all(1)
    return torch.where(known.view(-1, *[1] * len(row)), values, zeros(())), known


@TASK_UTILS.register_module()
class TargetEncoder(nn.Module):
    """Make :class:`Targets` from ground truth: each person learns what is annotated of it.

    * A mesh (``global_orient``, ``body_pose``, ``betas``, ``transl``, and ``gt_camera``): everything. ``has_mesh`` says
      who has one where not everybody of an image does (the host waits for it), ``has_shape`` whose shape and joints in
      space are targets, ``has_depth`` whose depth is. All meshes go through the body model in one pass.
    * Without a mesh: the joints ``keypoints_2d`` (px) and ``keypoints_3d`` (m, camera) that are finite and valid by
      ``*_valid``, those of the sample's ``joint_set`` that the network has too, by name; the depth, where the pelvis is
      among them; the box ``bboxes``, or else that around the joints.

    A sample needs ``img_shape`` of the resized image. Its metainfo ``has_3d`` and ``fully_annotated`` (else True)
    say whether its meshes are targets in 3D, or only their projection, and whether everyone is annotated. Images with a
    ``gt_camera`` have a focal length, unless their metainfo ``has_focal`` says that it is a guess.

    Args:
        cell: side of the scale map's cells, px.
        box_scale: the box of the joints is enlarged by this.
        scale_map: whether to make the scale map, of people with meshes.
        joint_set: joints of the targets, as the network puts them out; boxes of meshes are of all of the body's joints.
    """

    def __init__(self, cell=28, box_scale=1.2, scale_map=True, joint_set='smpl45'):
        super().__init__()
        self.cell, self.box_scale, self.scale_map, self.joint_set = cell, box_scale, scale_map, joint_set
        self._edges = None

    @torch.no_grad()
    def forward(self, samples, body_model, input_size, labels=()):
        """Encode.

        Args:
            samples: B :class:`HumanDataSample` on the body model's device.
            body_model: gives 3D joints and vertices.
            input_size: px, long side of the resized images.
            labels: fields of people that are targets as they are; a row with nan is unknown.

        Raises:
            ValueError: meshes of another body model or without a camera, or joints that no joint set names.
        """
        targets = self._unknown(samples, body_model, input_size)
        meshed = [_who_has_a_mesh(sample, body_model) for sample in samples]
        start = 0
        for sample, has_mesh in zip(samples, meshed):
            rows, start = slice(start, start + len(has_mesh)), start + len(has_mesh)
            if not all(has_mesh):
                self._add_annotated(targets, sample, rows)
        self._add_meshes(targets, samples, meshed, body_model)
        for name in labels:
            targets.labels[name], targets.known[name] = _label(name, samples, targets)
        return targets

    def _unknown(self, samples, body_model, input_size):
        """:class:`Targets` of people of whom nothing is known yet."""
        device, counts = body_model.faces.device, [len(sample.gt_instances) for sample in samples]
        zeros, joints = partial(torch.zeros, device=device), len(names_of(self.joint_set))
        rows = dict(boxes=(4, ), poses=(3 * (body_model.num_body_joints + 1), ), betas=(body_model.num_betas, ),
                    j3ds=(joints, 3), j2ds=(joints, 2), depths=(2, ))
        focals = [sample.gt_camera.intrinsics[1, 1] if 'gt_camera' in sample and sample.get('has_focal', True) else
                  zeros(()) + torch.nan for sample in samples]
        return Targets(
            counts=counts, **{name: zeros(sum(counts), *row) for name, row in rows.items()},
            **{f'{name}_mask': zeros(sum(counts), *rows[name], dtype=torch.bool) for name in ('j3ds', 'j2ds')},
            known={name: zeros(sum(counts), dtype=torch.bool) for name in rows}, focals=torch.stack(focals).float(),
            fully_annotated=[sample.get('fully_annotated', True) for sample in samples], input_size=float(input_size))

    def _add_annotated(self, targets, sample, rows):
        """Joints and boxes of the people of one image."""
        people, boxes = sample.gt_instances, []
        if 'keypoints_2d' in people:
            targets.j2ds[rows], seen = self._joints(sample, 'keypoints_2d')
            targets.j2ds_mask[rows], targets.known['j2ds'][rows] = seen[..., None], True
            limits = torch.tensor(sample.img_shape).flip(-1).to(seen.device, non_blocking=True)
            boxes.append(self._boxes(targets.j2ds[rows], seen, limits))
        if 'bboxes' in people:
            boxes.append(from_corners(people.bboxes.float()))
        for box in boxes:
            known = (box[:, 2:] > 0).all(-1)  # nor is one that is not a number
            targets.boxes[rows] = torch.where(known[:, None], box / targets.input_size, targets.boxes[rows])
            targets.known['boxes'][rows] |= known
        if 'keypoints_3d' in people:
            targets.j3ds[rows], seen = self._joints(sample, 'keypoints_3d')
            targets.j3ds_mask[rows], targets.known['j3ds'][rows] = seen[..., None], seen[:, 0]
            if names_of(self.joint_set)[0] == 'pelvis':
                targets.depths[rows, 0], targets.known['depths'][rows] = targets.j3ds[rows, 0, 2], seen[:, 0]

    def _joints(self, sample, field):
        """Joints (N, J, 2 or 3) of the network's set, 0 where unknown, and which (N, J) are known."""
        points = sample.gt_instances[field].float()
        known = torch.isfinite(points).all(-1)
        if f'{field}_valid' in sample.gt_instances:
            known &= sample.gt_instances[f'{field}_valid'].bool()
        try:
            return to_joint_set(points, known, sample.get('joint_set', self.joint_set), self.joint_set)
        except ValueError as error:
            raise ValueError(f'{sample.get("img_id", "sample")}: {field} holds {error}') from None

    def _add_meshes(self, targets, samples, meshed, body_model):
        """Everything of the people who have meshes, and the scale map."""
        device, has_mesh = targets.boxes.device, torch.tensor(sum(meshed, []), dtype=torch.bool)
        rows, image = (index.to(device, non_blocking=True)
                       for index in (has_mesh.nonzero()[:, 0], targets.image_index()[has_mesh]))
        poses, betas, transl = _meshes(samples, meshed, targets)
        intrinsics = torch.stack([sample.gt_camera.intrinsics.float() if 'gt_camera' in sample else
                                  torch.eye(3, device=device) for sample in samples])
        of_person, sizes = intrinsics[image], [tuple(sample.img_shape) for sample in samples]
        limits = torch.tensor(sizes, dtype=torch.float32).flip(-1).to(device, non_blocking=True)[image]
        body = body_model(poses, betas, transl)
        j3ds, z = body_model.select_joints(body, self.joint_set), body.joints[:, 0, 2]
        shown = project(body.joints, of_person)
        boxes = self._boxes(shown, torch.ones_like(shown[..., 0], dtype=torch.bool), limits) / targets.input_size
        has_3d = torch.tensor([sample.get('has_3d', True) for sample in samples]).to(device, non_blocking=True)[image]
        seen = torch.ones_like(has_3d)
        shaped, placed = (has_3d & _of_meshes(name, samples, meshed, device) for name in ('has_shape', 'has_depth'))
        for name, value, known in (
                ('boxes', boxes, seen), ('poses', poses.flatten(1), has_3d), ('betas', betas, shaped),
                ('j3ds', j3ds, shaped), ('j2ds', project(j3ds, of_person), seen),
                ('depths', torch.stack([z, z / of_person[:, 1, 1]], -1), placed)):
            getattr(targets, name)[rows], targets.known[name][rows] = value, known
        targets.j3ds_mask[rows] = targets.j2ds_mask[rows] = True
        if self.scale_map:
            points = self._mesh_points(body.vertices, body_model.faces)
            targets.scale_map, targets.map_cells = self._scale_map(points, of_person, boxes, z, image, limits, sizes)
            targets.map_known = [complete and all(has) for complete, has in zip(targets.fully_annotated, meshed)]

    def _boxes(self, points, seen, limits):
        """Boxes (N, 4) cx, cy, w, h in px of the joints (N, J, 2) that are ``seen`` (N, J), enlarged, inside the image.

        ``limits`` (N, 2) or (2) are width and height.
        """
        low = torch.where(seen[..., None], points, torch.inf).amin(1)
        high = torch.where(seen[..., None], points, -torch.inf).amax(1)
        centre, half = (low + high) / 2, (high - low) / 2 * self.box_scale
        inside = [torch.minimum((centre + side * half).clamp(min=0), limits) for side in (-1, 1)]
        return from_corners(torch.cat(inside, -1))

    def _mesh_points(self, vertices, faces):
        """Vertices and the midpoints of the edges, (V + E, T, 3): whole rows are picked, which is what is fast."""
        if self._edges is None or self._edges.device != faces.device:
            self._edges = unique_edges(faces)
        vertices = vertices.transpose(0, 1).contiguous()
        first, second = (vertices.index_select(0, ends) for ends in self._edges.unbind(-1))
        return torch.cat([vertices, first.add_(second).mul_(.5)])

    def _scale_map(self, points, intrinsics, boxes, z, image, limits, sizes):
        """Confidence and scale of the cells of all images in Z order, (C, 2), and the number of cells an image.

        A cell holds a person where one of the person's points (P, T, 3) falls into it; the nearest person wins.
        """
        grids = [tuple(-(-side // (2 * self.cell)) * 2 for side in size) for size in sizes]
        cells = [rows * columns for rows, columns in grids]
        start = torch.tensor([0, *cells]).cumsum(0)[:-1].to(z.device, non_blocking=True)[image]
        stride = torch.tensor([columns for _, columns in grids]).to(z.device, non_blocking=True)[image]
        nowhere, nobody = sum(cells), len(z)
        cell = self._cells(points, intrinsics, limits, start, stride, nowhere)
        rank = z.argsort().argsort().expand_as(cell)
        owner = torch.full((nowhere + 1, ), nobody, device=z.device)
        owner = owner.scatter_reduce_(0, cell.flatten(), rank.flatten(), 'amin')[:-1]
        by_rank = torch.cat([boxes[:, 2:].norm(dim=-1).clamp(max=1)[z.argsort()], boxes.new_zeros(1)])
        scale_map = torch.stack([(owner < nobody).float(), by_rank[owner]], -1)
        parts = scale_map.split(cells)
        ordered = [part[morton_order(*grid, device=z.device)] for part, grid in zip(parts, grids)]
        return torch.cat(ordered), cells

    def _cells(self, points, intrinsics, limits, start, stride, nowhere):
        """Cell (P, T) in which each point shows, among those of all images; ``nowhere`` behind the camera.

        Points outside the image show in the cell of its border that is nearest, as the public release has it.
        """
        x, y, z = points.unbind(-1)
        column, row = (torch.addcmul(intrinsics[:, axis, 2], along / z, intrinsics[:, axis, axis])
                       for axis, along in enumerate((x, y)))
        for pixel, limit in ((column, limits[:, 0]), (row, limits[:, 1])):
            torch.minimum(pixel.clamp_(min=0), limit - 1, out=pixel)
        # Half the bytes of int64: this is the largest tensor of a training step.
        cell = row.div_(self.cell).int().mul_(stride.int()).add_(column.div_(self.cell).int()).add_(start.int())
        # Pixels that are no numbers, of absurd labels, are no index; the losses say what is wrong.
        return cell.clamp_(0, nowhere).masked_fill_(z <= 0, nowhere).long()
