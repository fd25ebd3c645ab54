"""A video -> people through time in metres: one size each, where they were in every frame."""
import tempfile
from pathlib import Path

from mmhuman_dto.apis.inference.recipe import recipe_config
from mmhuman_dto.dto.temporal import ClipOptimizer
from mmhuman_dto.fileio.camera_poses import read_camera_poses
from mmhuman_dto.fileio.names import OutputNames
from mmhuman_dto.generation.pipeline import Stages
from mmhuman_dto.stages import ConfigError

from .bodies import BodiesThroughTime
from .input import open_video
from .observing import Observer
from .work import Work

#: The recipe that is used where none is named.
DEFAULT_RECIPE = 'video'


class VideoInferencer:
    """People of a video through time, by a recipe whose bodies are fitted to joints.

    ::

        clip = VideoInferencer()('clip.mp4')
        print(clip.summary)
        clip.save('work_dirs/clip')

    Args:
        recipe: name of a shipped recipe, or config file.
        depth, depth_kind, focal, device, options: as of :class:`~mmhuman_dto.HumanInferencer`.
        cameras: 'still': the camera stands still, 'moving': it moves in ways nobody knows, or a file of poses
            (:func:`~mmhuman_dto.fileio.camera_poses.read_camera_poses`), whose scale is found where it is not known.
        temporal: arguments of :class:`~mmhuman_dto.dto.temporal.TemporalDTO` but ``still``, which is the recipe's
            solver.
        batch_size: frames that go through the stages together.

    Raises:
        BrokenFileError: a file of camera poses that cannot be read.
        ConfigError: a recipe without bodies that are fitted to joints, or without a solver of scenes.
    """

    def __init__(self, recipe=DEFAULT_RECIPE, depth=None, focal=None, device=None, batch_size=8, options=None,
                 depth_kind=None, cameras='still', temporal=None):
        self.config = config = recipe_config(recipe, depth, True, focal, device=device, options=options,
                                             depth_kind=depth_kind)
        self.stages = Stages.of(config)
        by_type = {stage['type']: (name, stage) for name, stage in config['stages'].items()}
        solving, meshes = by_type.get('OptimiseTranslations'), by_type.get('AddMeshes')
        if solving is None or meshes is None or meshes[1]['source']['type'] != 'KeypointFitMeshes':
            raise ConfigError(f'{recipe}: videos take recipes with the stages AddMeshes by KeypointFitMeshes and '
                              'OptimiseTranslations')
        has_maps = 'AddDepth' in by_type
        names = list(config['stages'])
        before = [name for name in names[:names.index(solving[0])]
                  if has_maps or config['stages'][name]['type'] != 'RasteriseMeshes']
        self.source = next(stage.source for stage in self.stages.stages if stage.name == meshes[0])
        self.observer = Observer(self.stages, before, solving[1].get('evidence', {}) if has_maps else None, batch_size)
        self.optimizer = ClipOptimizer(dict(temporal or {}, still=solving[1]['solver']), solving[1].get('prior'),
                                       solving[1].get('evidence'))
        self.bodies = BodiesThroughTime(self.source.fit)
        self.cameras, self.temporal = cameras, temporal
        self.poses = None if cameras in ('still', 'moving') else read_camera_poses(cameras)

    @property
    def live_cameras(self):
        """How the camera of a video moves that is still going on."""
        return 'moving' if self.poses else self.cameras

    @property
    def body_model(self):
        return self.stages.context.body_model

    def __call__(self, path, work_dir=None, fps=30., progress=None):
        """People of one video.

        Args:
            path: a video, or a folder of its frames.
            work_dir: where what is done is kept, so that a run that was stopped goes on; None: a temporary folder.
            fps: frames a second of a folder.
            progress: (what is done, how much of it, of how much) -> None, called often.

        Returns:
            :class:`~.result.HumanClip`.

        Raises:
            ImageError: it cannot be read.
        """
        video = open_video(path, fps)
        temporary = None if work_dir is not None else tempfile.TemporaryDirectory(prefix='mmhuman_dto_')
        work = Work(self, video, Path(work_dir or temporary.name), progress or (lambda *_: None))
        return work.clip(OutputNames().of(Path(path).name), temporary)
