"""From annotated samples to what the network should answer."""
import torch
from torch import nn

from mmhuman_dto.geometry.boxes import from_corners
from mmhuman_dto.geometry.camera import project
from mmhuman_dto.geometry.morton import morton_order
from mmhuman_dto.registry import TASK_UTILS

from .targets import Targets


def unique_edges(faces):
    """Edges (E, 2) of triangles (F, 3), each once."""
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return edges.sort(-1).values.unique(dim=0)


@TASK_UTILS.register_module()
class TargetEncoder(nn.Module):
    """Make :class:`Targets` from ground truth, all people of the batch in one pass of the body model.

    A sample needs ``gt_instances`` (global_orient, body_pose, betas, transl, optional depth_layers),
    ``gt_camera.intrinsics`` and ``img_shape`` of the resized image. Its metainfo ``has_3d`` and ``detect_all`` (both
    True when absent) say whether the meshes are 3D targets and whether everyone is annotated. Sets without meshes
    (Relative Human) give ``bboxes``, ``keypoints_2d`` and ``keypoints_2d_valid`` instead.

    Args:
        cell: side of the scale map's cells, px.
        box_scale: the box of the projected joints is enlarged by this.
        scale_map: whether to make the scale map.
        joint_set: joints of the targets, as the network puts them out; boxes are always of the body's own joints.
    """

    def __init__(self, cell=28, box_scale=1.2, scale_map=True, joint_set='smpl45'):
        super().__init__()
        self.cell, self.box_scale, self.scale_map, self.joint_set = cell, box_scale, scale_map, joint_set
        self._edges = None

    @torch.no_grad()
    def forward(self, samples, body_model, input_size):
        """Encode.

        Args:
            samples: B :class:`HumanDataSample` on the body model's device.
            body_model: gives 3D joints and vertices.
            input_size: px, long side of the resized images.
        """
        everyone = [sample.gt_instances for sample in samples]
        counts = [len(people) for people in everyone]
        common = dict(counts=counts, detect_all=[sample.get('detect_all', True) for sample in samples],
                      input_size=float(input_size))
        if all('depth_layers' in people for people in everyone):
            common['depth_ids'] = torch.cat([people.depth_layers for people in everyone])
        if all('betas' in people for people in everyone):
            return self._from_meshes(samples, everyone, body_model, input_size, common)
        return self._from_keypoints(everyone, body_model, input_size, common)

    def _from_meshes(self, samples, everyone, body_model, input_size, common):
        def joined(name):
            return torch.cat([getattr(people, name) for people in everyone]).float()

        image = torch.repeat_interleave(torch.arange(len(samples)), torch.tensor(common['counts']))
        intrinsics = torch.stack([sample.gt_camera.intrinsics for sample in samples]).float()
        image = image.to(intrinsics.device, non_blocking=True)
        of_person = intrinsics[image]
        sizes = [tuple(sample.img_shape) for sample in samples]
        poses, betas = joined('pose'), joined('betas')
        body = body_model(poses, betas, joined('transl'))
        j3ds = body_model.joint_set(body, self.joint_set)
        j2ds = project(j3ds, of_person)
        focals = intrinsics[:, 1, 1]
        z = body.joints[:, 0, 2]
        limits = torch.tensor(sizes, dtype=torch.float32).flip(-1).to(image.device, non_blocking=True)[image]
        boxes = self._boxes(project(body.joints, of_person), limits) / input_size
        targets = Targets(
            boxes=boxes, poses=poses.flatten(1), betas=betas, j3ds=j3ds, j2ds=j2ds,
            j2ds_mask=torch.ones_like(j2ds, dtype=torch.bool), depths=torch.stack([z, z / focals[image]], -1),
            focals=focals, valid_3d=[sample.get('has_3d', True) for sample in samples], **common)
        if self.scale_map:
            points = self._mesh_points(body.vertices, body_model.faces)
            targets.scale_map, targets.map_cells = self._scale_map(points, of_person, boxes, z, image, limits, sizes)
        return targets

    def _from_keypoints(self, everyone, body_model, input_size, common):
        j2ds = torch.cat([people.keypoints_2d for people in everyone]).float()
        visible = torch.cat([people.keypoints_2d_valid for people in everyone]).bool()
        nothing = j2ds.new_zeros(len(j2ds), 1)
        return Targets(
            boxes=from_corners(torch.cat([people.bboxes for people in everyone]).float()) / input_size,
            poses=nothing.expand(-1, 72), betas=nothing.expand(-1, body_model.num_betas),
            j3ds=nothing[..., None].expand(-1, j2ds.shape[1], 3), j2ds=j2ds,
            j2ds_mask=visible[..., None].expand_as(j2ds), depths=nothing.expand(-1, 2),
            focals=j2ds.new_full((len(everyone), ), torch.nan), valid_3d=[False] * len(everyone), **common)

    def _boxes(self, j2ds, limits):
        """Enlarged boxes of the joints inside the image, (T, 4) cx, cy, w, h in px; ``limits`` (T, 2) width, height."""
        low, high = j2ds.amin(1), j2ds.amax(1)
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
        """Cell (P, T) in which each point shows, among those of all images; ``nowhere`` outside the image."""
        x, y, z = points.unbind(-1)
        column, row = (torch.addcmul(intrinsics[:, axis, 2], along / z, intrinsics[:, axis, axis])
                       for axis, along in enumerate((x, y)))
        width, height = limits.unbind(-1)
        shown = (z > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
        # Half the bytes of int64: this is the largest tensor of a training step.
        cell = row.div_(self.cell).int().mul_(stride.int()).add_(column.div_(self.cell).int()).add_(start.int())
        return cell.masked_fill_(~shown, nowhere).long()
