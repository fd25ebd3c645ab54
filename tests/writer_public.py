"""Synthetic crowds as the files of each public data set, so that its reader is tested on its true layout.

Each writer turns a scene into what the set's file holds of one image; the layouts are drawn in the readers' docstrings
(``mmhuman_dto/datasets/public``). People of sets in a world frame are moved there by a rotation and a translation that
differ from image to image. Decorated with :func:`layout`, a writer has its set go through every test of readers.
"""
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from mmhuman_dto.datasets.public import write_dto_humans, write_dto_raw
from mmhuman_dto.fileio.images import write_image
from mmhuman_dto.registry import BODY_MODELS, READERS
from mmhuman_dto.synthetic.corruption import rest_roots
from mmhuman_dto.synthetic.render import Renderer
from mmhuman_dto.synthetic.samples import scene_record, truth_sample
from mmhuman_dto.synthetic.writers.crowd import initial_mesh_record

#: Panoptic's joint for each of Human3.6M's 17, and how much lower (m) its pelvis is.
_PANOPTIC_ROWS, _PELVIS_DROP = [14, 2, 1, 0, 3, 4, 5, 16, 12, 17, 18, 9, 10, 11, 8, 7, 6], .06
#: Rows of CrowdPose's 14 joints in Relative Human's two orders of 19.
_BK19_ROWS = [*range(5, 17), 0, 2]
_OCHUMAN19_ROWS = [3, 0, 4, 1, 5, 2, 9, 6, 10, 7, 11, 8, 12, 13]


class Shot(NamedTuple):
    """One image: its ``scene``, ``picture``, ``img_id``, ``number`` and the ``body_model``."""
    scene: object
    picture: object
    img_id: str
    number: int
    body_model: torch.nn.Module

    @property
    def adult_betas(self):
        """(N, 10) coefficients of grown-ups; refuses children, whom sets without a child blend cannot hold."""
        betas = self.scene.betas
        if betas[:, 10:].any():
            raise ValueError(f'{self.img_id}: this layout has no child blend; sample scenes with child_share=0')
        return betas[:, :10]

    def regressed(self, joint_set):
        """Joints (N, J, 3) m of a set with a regressor."""
        return self.body_model.regress(torch.as_tensor(self.scene.vertices), joint_set).double().numpy()


class World(NamedTuple):
    """The people of a shot in a world frame: x_cam = ``rotation`` x + ``translation``."""
    orient: np.ndarray
    transl: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray


def in_world(shot):
    """The :class:`World` of a shot; y is up in it, like in the data sets."""
    scene, rng = shot.scene, shot.scene.generator('world')
    rotation = Rotation.from_euler('yxz', [rng.uniform(-3, 3), rng.uniform(-.4, .4), np.pi])
    translation = rng.normal(0, 2, 3)
    roots = rest_roots(scene.betas, shot.body_model)
    orient = rotation.inv() * Rotation.from_rotvec(scene.pose[:, 0])
    return World(orient.as_rotvec(), rotation.inv().apply(scene.transl + roots - translation) - roots,
                 rotation.as_matrix(), translation)


class Layout(NamedTuple):
    """How a data set lies on disk.

    Attributes:
        reader: its reader. write: (path, shots) -> None.
        name: (number, scene) -> image id.
        key: of an image's entry, or of the dictionaries in it: numbers of a fixed shape; None: it is no npz file.
        nobody: the entry of an image without people; None: there are none.
        flat: whether the file is one table of rows, so that what is missing is missing for all images.
    """
    reader: type
    write: Callable
    name: Callable
    key: str | None
    nobody: object = None
    flat: bool = False

    def place(self, split=None):
        """Split (the last one unless given), its annotation file, and the folder of images, below that of the file."""
        info = self.reader.info
        split = split or [*info.splits][-1]
        return split, info.splits[split].replace('*', 'coco'), info.images.split('/')[-1].format(split=split)


#: :class:`Layout` of each reader (``READERS``).
LAYOUTS = {}


def layout(reader, name, key, per_image=True, **about):
    """Decorator of a writer: of a function shot -> an image's entry of ``annots``, or else (path, shots) -> None."""
    def register(writer):
        def write_annots(path, shots):
            np.savez(path, annots=np.array({shot.img_id: writer(shot) for shot in shots}, dtype=object))

        LAYOUTS[reader] = Layout(READERS.get(reader), write_annots if per_image else writer, name, key, **about)
        return writer
    return register


@layout('AGORA', 'validation/ag_{:04d}.png'.format, 'transl',
        nobody=dict(isValid=[], kid=[], cam_intrinsics=np.eye(3)[None], cam_rot=[], cam_trans=[], smpl_gt=[]))
def _agora(shot):
    scene, world, count = shot.scene, in_world(shot), len(shot.scene)
    kids = scene.betas[:, 10] > 0
    bodies = [dict(betas=betas if kid else betas[:10], global_orient=orient, body_pose=pose[1:].ravel(), transl=transl)
              for betas, kid, orient, pose, transl in zip(scene.betas, kids, world.orient, scene.pose, world.transl)]
    # Somebody who does not count is annotated too.
    hidden = dict(bodies[0], transl=bodies[0]['transl'] + 1)
    return dict(isValid=[True] * count + [False], kid=[*kids.tolist(), False], cam_intrinsics=scene.intrinsics[None],
                cam_rot=[world.rotation] * (count + 1), cam_trans=[world.translation] * (count + 1),
                smpl_gt=[*bodies, hidden])


def _bedlam_name(number, scene):
    closeup = 'closeup_' if scene.size[0] > scene.size[1] else ''
    return f'20221010_batch01_{closeup}6fps/png/seq_{number:06d}/seq_{number:06d}_0000.png'


@layout('BEDLAM', _bedlam_name, 'pose_world',
        nobody=dict(cam_int=np.eye(3), cam_rot=[], cam_trans=[], shape=[], pose_world=[], trans_world=[]))
def _bedlam(shot):
    scene, world, count = shot.scene, in_world(shot), len(shot.scene)
    pose = np.concatenate([world.orient, scene.pose[:, 1:].reshape(count, 69)], 1)
    return dict(cam_int=scene.intrinsics, cam_rot=[world.rotation] * count, cam_trans=[world.translation] * count,
                shape=list(shot.adult_betas), pose_world=list(pose), trans_world=list(world.transl))


@layout('ThreeDPW', 'imageFiles/downtown_arguing_00/image_{:05d}.png'.format, 'body_pose',
        nobody=dict(betas=torch.zeros(0, 10), global_orient=torch.zeros(0, 3), body_pose=torch.zeros(0, 69),
                    transl=torch.zeros(0, 3), cam_intrinsics=torch.eye(3), cam_rot=torch.eye(3),
                    cam_trans=torch.zeros(3), genders=[]))
def _three_dpw(shot):
    scene, world = shot.scene, in_world(shot)
    arrays = dict(betas=shot.adult_betas, global_orient=world.orient, body_pose=scene.pose[:, 1:].reshape(-1, 69),
                  transl=world.transl, cam_intrinsics=scene.intrinsics, cam_rot=world.rotation,
                  cam_trans=world.translation)
    return dict({key: torch.as_tensor(value, dtype=torch.float32) for key, value in arrays.items()},
                genders=_genders(scene))


@layout('Hi4D', 'pair00/dance00/images/4/{:06d}.png'.format, 'cam_rot', nobody=[])
def _hi4d(shot):
    scene, world = shot.scene, in_world(shot)
    shared = dict(focal=scene.intrinsics[[0, 1], [0, 1]], princpt=scene.intrinsics[:2, 2], cam_rot=world.rotation,
                  cam_trans=world.translation)
    return [dict(shared, global_orient=orient, body_pose=pose[1:].ravel(), transl=transl, betas=betas, genders=gender)
            for orient, pose, transl, betas, gender in zip(world.orient, scene.pose, world.transl, shot.adult_betas,
                                                           _genders(scene))]


@layout('MuPoTS', 'TS1/img_{:06d}.png'.format, 'annot_3d', nobody=[])
def _mupots(shot):
    joints = shot.regressed('h36m17')
    pixels = shot.scene.project(joints)
    visible = _inside(pixels, shot.scene.size)
    visible[0, 13] = False  # the left wrist is behind somebody
    return [dict(annot_2d=xy, annot_3d=1000 * xyz, annot_3d_univ=1000 * xyz, vis=vis)
            for xy, xyz, vis in zip(pixels, joints, visible)]


def _panoptic_name(number, scene):
    game = ('haggling', 'mafia', 'ultimatum', 'pizza')[number % 4]
    return f'160422_{game}1/hdImgs/00_16_{number:08d}.png'


@layout('Panoptic', _panoptic_name, 'kpts3d', nobody=dict(kpts3d=np.zeros((0, 26, 4)), width=180, height=120))
def _panoptic(shot):
    points = np.zeros((len(shot.scene), 26, 4))
    points[:, _PANOPTIC_ROWS, :3] = shot.regressed('h36m17')
    points[:, _PANOPTIC_ROWS, 3] = shot.scene.generator('confidence').uniform(.5, 1, 17)
    points[:, _PANOPTIC_ROWS[0], 1] += _PELVIS_DROP
    height, width = shot.scene.size
    return dict(kpts3d=points, kpts2d=points[..., [0, 1, 3]], width=width, height=height)


def _relative_human_name(number, scene):
    return 'images/' + (f'{number:06d}.png', f'{number:07d}.png', f'ochuman_{number:06d}.png')[number % 3]


@layout('RelativeHuman', _relative_human_name, 'kp2d', nobody=[])
def _relative_human(shot):
    scene = shot.scene
    pixels = scene.project(shot.regressed('crowdpose14'))
    joints = np.concatenate([pixels, _inside(pixels, scene.size)[..., None]], -1)
    rows = (None, _BK19_ROWS, _OCHUMAN19_ROWS)[shot.number % 3]
    if rows is not None:
        listed = np.zeros((len(scene), 19, 3))
        listed[:, rows] = joints
        joints = listed
    boxes, layers = scene_record(scene, shot.picture)['bboxes'], _clear_layers(scene.transl[:, 2])
    groups = 3 - np.searchsorted([3, 8, 15], scene.ages, side='right')
    people = [dict(bbox=box, kp2d=points, depth_id=int(layer), age=int(group), gender=int(not male))
              for box, points, layer, group, male in zip(boxes, joints, layers, groups, scene.male)]
    people[0]['bbox_wb'] = people[0]['bbox'] + [-1, -1, 1, 1]
    people.append(dict(bbox=people[0]['bbox'], kp2d=None, depth_id=-1, age=-1, gender=-1))
    return people


def _clear_layers(z):
    """Depth layers as people would annotate them: -1 for whom they could not tell, within the metric's .2 m."""
    layers, layer = np.full(len(z), -1), -1
    first = last = -np.inf
    for row in np.argsort(z):
        if z[row] - last > .2:
            layer, first = layer + 1, z[row]
        if z[row] - first < .2:
            layers[row], last = layer, z[row]
    return layers


def _coco(shot):
    """An image's entry, and its annotations without the image's id: integer pixels, as people click them."""
    height, width = shot.scene.size
    pixels, people = shot.scene.project(shot.regressed('coco17')), []
    seen = _inside(pixels, shot.scene.size)
    for person, (points, flags) in enumerate(zip(np.floor(pixels), seen)):
        mask = shot.picture.id_map == person + 1
        rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
        corner, size = [columns[0], rows[0]], [np.ptp(columns) + 1, np.ptp(rows) + 1]
        people.append(dict(_coco_joints(points, flags), bbox=np.ravel([corner, size]).tolist(), area=float(mask.sum()),
                           iscrowd=0, segmentation=[]))
    nobody = _coco_joints(np.zeros((17, 2)), np.zeros(17, bool))
    # Somebody too small for joints, and spectators.
    people += [dict(nobody, bbox=[2., 3., 6., 9.], area=30.5, iscrowd=0, segmentation=[]),
               dict(nobody, bbox=[0., 0., width / 4, height / 4], area=40.5, iscrowd=1, segmentation={})]
    return dict(file_name=shot.img_id, height=height, width=width), people


def _coco_joints(points, flags):
    joints = np.column_stack([points, 2 * flags]) * flags[:, None]
    return dict(keypoints=joints.astype(int).ravel().tolist(), num_keypoints=int(flags.sum()))


@layout('InitialMeshes', '{:04d}.png'.format, 'trans_cam')
def _initial_meshes(shot):
    return initial_mesh_record(shot.scene, shot.body_model.num_betas)


def _genders(scene):
    return ['male' if male else 'female' for male in scene.male]


def _inside(pixels, size):
    return ((pixels >= 0) & (pixels < size[::-1])).all(-1)


@layout('COCOKeypoints', '{:012d}.png'.format, None, per_image=False)
def _write_coco(path, shots):
    """All images, and then all annotations."""
    content = dict(images=[], annotations=[], categories=[dict(id=1, name='person')])
    for shot in shots:
        image, people = _coco(shot)
        content['images'].append(dict(image, id=1000 + shot.number))
        content['annotations'] += [dict(person, image_id=1000 + shot.number, category_id=1) for person in people]
    content['annotations'] = [dict(person, id=number) for number, person in enumerate(content['annotations'], 1)]
    path.write_text(json.dumps(content))


@layout('CameraHMRRelease', 'train2014/{:012d}.png'.format, 'pose_cam', per_image=False, flat=True)
def _write_camerahmr(path, shots):
    rows = []
    for shot in shots:
        scene, record = shot.scene, scene_record(shot.scene, shot.picture)
        joints = np.concatenate([record['keypoints_2d'], record['keypoints_2d_valid'][..., None]], -1)[:, :44]
        boxes = record['bboxes']
        rows += [dict(imgname=shot.img_id, center=(box[:2] + box[2:]) / 2, scale=(box[2:] - box[:2]).max() / 200,
                      cam_int=scene.intrinsics, shape=betas, pose_cam=pose.ravel(), trans_cam=transl, gtkps=points)
                 for box, betas, pose, transl, points in zip(boxes, shot.adult_betas, scene.pose, scene.transl, joints)]
    np.savez(path, **{key: np.stack([np.asarray(row[key]) for row in rows]) for key in rows[0]})


@layout('DTOHumans', 'train2014/{:012d}.png'.format, 'pose', per_image=False)
def _write_dto_humans(path, shots, write=write_dto_humans):
    write(path, [truth_sample(shot.scene, shot.img_id) for shot in shots])


@layout('DTORaw', 'train2014/{:012d}.png'.format, 'pose_cam', per_image=False)
def _write_dto_raw(path, shots):
    _write_dto_humans(path, shots, write_dto_raw)


def write_public_set(reader, folder, scenes, body_model, split=None):
    """Write scenes as the files of a public data set: images and one annotation file.

    Args:
        reader: name of the set's reader.
        folder: where the annotation file goes; made where missing.
        scenes: :class:`Scene` list; without children for sets that have no child blend. BEDLAM's that are higher than
            wide become closeups, whose pictures are stored lying.
        body_model: config of the scenes' body model.
        split: whose annotation file it becomes; None: the last one's.

    Returns:
        dict: config of the reader.
    """
    layout, model, folder = LAYOUTS[reader], BODY_MODELS.build(body_model), Path(folder)
    split, ann_file, images = layout.place(split)
    renderer, shots = Renderer(model, supersample=1), []
    for number, scene in enumerate(scenes):
        shots.append(Shot(scene, renderer(scene), layout.name(number, scene), number, model))
        image = shots[-1].picture.image
        lies = 'closeup' in shots[-1].img_id
        write_image(folder / images / shots[-1].img_id, np.rot90(image) if lies else image)
    (folder / ann_file).parent.mkdir(parents=True, exist_ok=True)
    layout.write(folder / ann_file, shots)
    bodies = dict(body_model=body_model, gendered=dict(male=body_model, female=body_model))
    return {key: bodies.get(key, value)
            for key, value in layout.reader.config(split, ann_file, folder, images).items()}
