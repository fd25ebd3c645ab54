"""Whether annotations and pictures belong together: sizes, cameras, and people who are in their pictures."""
from typing import NamedTuple

import numpy as np
import torch

from mmhuman_dto.fileio.image_header import image_header
from mmhuman_dto.fileio.images import ImageError
from mmhuman_dto.fileio.paths import UnsafePathError, path_below
from mmhuman_dto.geometry import axis_angle_to_matrix

from .image_folders import PROBES, spread

#: Rows of a table that are compared, unless all are, and pictures whose headers are read.
ROWS, HEADERS = 2000, PROBES
#: A camera is of another resolution where both axes say the same factor, to within the first, and one further from 1
#: than the second.
_SAME, _OTHER = .02, .1
#: Shares of images or people from which on it is said; single ones may be odd rather than wrong.
_SAID = .1
#: About where SMPL's head, pelvis and feet are at rest, m, from its origin; y up.
_BODY = np.array([[0, .35, 0], [0, -.24, 0], [0, -1.1, 0]])
#: Fields that say where in the picture people are.
_PLACES = ('keypoints_2d', 'keypoints_2d_valid', 'transl', 'global_orient', 'has_mesh', 'bboxes')
#: EXIF orientations that say how a picture is turned or mirrored without exchanging height and width.
_HALF_TURNS = (2, 3, 4)


def other_size(path, size, annotated):
    """What to say of a picture of ``size`` (h, w), px, whose annotations are of another one."""
    text = (f'{path}: is {size[0]} x {size[1]} px (height, width), its annotations are of {annotated[0]} x '
            f'{annotated[1]} px')
    factors = np.divide(size, annotated)
    if abs(factors[0] / factors[1] - 1) < _SAME:
        return f'{text}, {factors.mean():.3g} x as large: use the pictures that were annotated'
    return f'{text}: as if it lay on its side' if tuple(size) == tuple(annotated[::-1]) else text


def as_annotated(sample, side, header):
    """Size (h, w), px, that a picture has as its annotations have it, where these don't state it.

    EXIF orientations count, but where the camera or the people of the sample fit the picture as stored alone.

    Args:
        sample: with ``{side}_instances`` and maybe ``{side}_camera``.
        header: :class:`ImageHeader` of its picture.
    """
    people = {name: value.cpu().numpy() for name, value in sample.get(f'{side}_instances').items() if name in _PLACES}
    camera = sample.get(f'{side}_camera').intrinsics.cpu().numpy() if f'{side}_camera' in sample else None
    swap = sample.get('quarter_turns', 0) % 2

    def fit(size):
        size = np.array(size[::-1] if swap else size, float)
        centred = camera is not None and abs(2 * camera[[1, 0], 2] / size - 1).max() < _SAME
        seen = _in_picture(people, None if camera is None else camera[None], size[None])
        return centred, 0 if seen is None or not len(seen) else np.nanmean(seen)

    return header.stored if fit(header.stored) > fit(header.size) else header.size


def disagreements(table, folder=None, rows=ROWS, headers=HEADERS):
    """What in a table does not go with its pictures, a sentence a kind.

    Args:
        table: :class:`PeopleTable`.
        folder: of its images; None: they are not looked at.
        rows: at most how many images are compared, spread over the table.
        headers: of how many pictures, at most, the header is read.
    """
    rows = np.array(spread(len(table), rows))
    found, sizes = [], table.columns.get('image.ori_shape')
    if folder is not None:
        found += _of_headers(table, folder, spread(len(table), headers))
    if sizes is not None and len(rows):
        starts, stops = table.people_offsets[rows], table.people_offsets[rows + 1]
        people = np.concatenate([np.arange(start, stop) for start, stop in zip(starts, stops)])
        cameras = table.columns.get('image.intrinsics')
        images = _Images(
            [table.image_id(row) for row in rows], np.asarray(sizes)[rows].astype(float),
            None if cameras is None else np.asarray(cameras[rows]).astype(float), stops - starts,
            {name: np.asarray(table.columns[f'people.{name}'][people]) for name in _PLACES
             if f'people.{name}' in table.columns})
        found += _of_cameras(images) + _of_people(images)
    return found


def disagreements_of(samples):
    """The same of samples with ``pred_camera`` and ``pred_instances`` of the same fields, without looking at files."""
    people = [sample.pred_instances for sample in samples]
    images = _Images(
        [sample.img_id for sample in samples], np.array([sample.ori_shape for sample in samples], float),
        np.stack([sample.pred_camera.intrinsics.cpu().double().numpy() for sample in samples]),
        np.array([len(group) for group in people]),
        {name: np.concatenate([group[name].cpu().numpy() for group in people]) for name in _PLACES
         if all(name in group for group in people)})
    return _of_cameras(images) + _of_people(images)


class _Images(NamedTuple):
    """What is compared of n images."""
    names: list
    sizes: np.ndarray  # (n, 2) h, w, px
    cameras: np.ndarray | None  # (n, 3, 3) px
    counts: np.ndarray  # (n) people
    people: dict  # fields of all people, one image after the other

    def example(self, which):
        """The first of some images (n, bool), in words."""
        first = np.flatnonzero(which)[0]
        return f'{self.names[first]} of {self.sizes[first][0]:.0f} x {self.sizes[first][1]:.0f} px'


def _of_headers(table, folder, rows):
    """Pictures of another size than annotated, and those whose EXIF orientation is not followed or can't be checked."""
    other, stored, half, count = [], [], [], 0
    sizes, turns = table.columns.get('image.ori_shape'), table.columns.get('image.quarter_turns')
    for row in rows:
        try:
            path = path_below(folder, table.image_id(row))
            header = image_header(path)
        except (ImageError, UnsafePathError):
            continue  # said when it is looked for, or read
        count += 1
        half += [path] * (header.orientation in _HALF_TURNS)
        if sizes is not None:
            annotated = tuple(np.asarray(sizes[row]).tolist())
            lying = annotated[::-1] if turns is not None and turns[row] % 2 else annotated
            stored += [path] * (lying == header.stored != header.size)
            if lying not in (header.stored, header.size):
                other.append(other_size(path, header.size, lying))
    said, looked = [], f'of {count} pictures looked at'
    if other:
        said.append(f'{len(other)} {looked} are of another size than annotated: {other[0]}')
    if stored:
        said.append(f'{len(stored)} {looked} are read as stored, against their EXIF orientation, as '
                    f'their annotations have them: {stored[0]} for one')
    if half:
        said.append(f'{len(half)} {looked} have an EXIF orientation that keeps their size (upside down or '
                    f'mirrored), which is followed: {half[0]} for one. Where they were annotated as stored, '
                    'remove the orientation from the files')
    return said


def _of_cameras(images):
    if images.cameras is None:
        return []
    sizes, count = images.sizes, len(images.sizes)
    centres = images.cameras[:, [1, 0], 2]  # y, x
    with np.errstate(divide='ignore', invalid='ignore'):
        factors = sizes / (2 * centres)
        turned = sizes[:, ::-1] / (2 * centres)
        same = abs(factors[:, 0] / factors[:, 1] - 1) < _SAME
        lying = (abs(turned - 1) < _SAME).all(1) & ~same
    far = abs(np.log(np.where(factors > 0, factors, 1))) > np.log1p(_OTHER)
    other = same & far.all(1)
    outside = ((centres < 0) | (centres > sizes)).any(1)
    said, example = [], images.example
    if other.mean() >= _SAID:
        factor = np.median(factors[other])
        said.append(f'the intrinsics of {other.sum()} of {count} images are of another resolution: the pictures '
                    f'are {factor:.3g} x as large as their principal points say '
                    f'({example(other)}, principal point {_point(centres[other][0])}). '
                    f'Multiply the intrinsics by {factor:.3g}, or use pictures of the annotated size')
        outside &= ~other
    if lying.any():
        said.append(f'the intrinsics of {lying.sum()} of {count} images are of a picture lying on its side '
                    f'({example(lying)}, principal point {_point(centres[lying][0])})')
        outside &= ~lying
    if outside.any():
        said.append(f'the principal points of {outside.sum()} of {count} images are outside of the picture '
                    f'({example(outside)}, principal point {_point(centres[outside][0])})')
    return said


def _of_people(images):
    count = len(images.sizes)
    image = np.repeat(np.arange(count), images.counts)
    cameras = images.cameras if images.cameras is None else images.cameras[image]
    seen = _in_picture(images.people, cameras, images.sizes[image])
    gone = None if seen is None else seen == 0  # nan: nothing is known of where somebody is
    if gone is None or not len(gone) or gone.mean() < _SAID:
        return []
    which = np.isin(np.arange(count), image[gone])
    return [f'{gone.sum()} of {len(gone)} people are outside of their pictures, in {which.sum()} of {count} '
            f'images ({images.example(which)}): camera, units, axes, or another resolution']


def _in_picture(people, cameras, sizes):
    """Whether each person (N) is in the picture, nan where nothing says so; None: nothing says so of anybody.

    By joints in the image, at least half of those that are valid, else by a mesh's head, pelvis or feet, about, else by
    the middle of the box.

    Args:
        people: fields, arrays (N, ...). cameras: (N or 1, 3, 3) or None. sizes: (N or 1, 2) h, w, px.
    """
    limits = sizes[:, None, ::-1]
    if 'keypoints_2d' in people and 'keypoints_2d_valid' in people:
        valid = people['keypoints_2d_valid'] > 0
        inside = ((people['keypoints_2d'] >= 0) & (people['keypoints_2d'] <= limits)).all(-1) & valid
        with np.errstate(divide='ignore', invalid='ignore'):
            share = inside.sum(1) / valid.sum(1)
        return np.where(valid.any(1), share >= .5, np.nan)
    if 'transl' in people and cameras is not None:
        turned = axis_angle_to_matrix(torch.as_tensor(people['global_orient'])).numpy()
        # About its pelvis, as a body turns.
        points = (_BODY - _BODY[1]) @ turned.swapaxes(1, 2) + _BODY[1] + people['transl'][:, None]
        with np.errstate(divide='ignore', invalid='ignore'):
            pixels = points @ np.asarray(cameras, float).swapaxes(1, 2)
            pixels = pixels[..., :2] / pixels[..., 2:]
        seen = (((pixels >= 0) & (pixels <= limits)).all(-1) & (points[..., 2] > 0)).any(1)
        return np.where(people.get('has_mesh', True), seen, np.nan)
    if 'bboxes' in people:
        middle = people['bboxes'].reshape(-1, 2, 2).mean(1)
        return ((middle >= 0) & (middle <= limits[:, 0])).all(1).astype(float)
    return None


def _point(centre):
    return f'x {centre[1]:.1f}, y {centre[0]:.1f}'
