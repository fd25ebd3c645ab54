"""What comes of one picture."""
import sys
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from PIL import Image

from mmhuman_dto.dto import DropReason
from mmhuman_dto.fileio.names import OutputNames
from mmhuman_dto.structures import HumanDataSample
from mmhuman_dto.visualization import Placement, Scene, draw_overlay, people_rows, show
from mmhuman_dto.visualization.writers import save_scene

from .people import PeopleView

#: What is saved where nothing else is asked for.
DEFAULT_KINDS = ('overlay', 'side', 'birdseye', 'params', 'glb')


@dataclass(repr=False, eq=False)
class HumanScene:
    """People of one picture; whatever went wrong with it is said here and does not stop the others.

    With an ``error`` there is no ``sample``, and all that is made of it raises ValueError.
    """
    img_id: str  # name of the input, see :class:`~mmhuman_dto.apis.inference.inputs.Photo`
    image: np.ndarray | None  # (H, W, 3) uint8 RGB; None where it could not be read
    body_model: torch.nn.Module  # of the people
    #: ``pred_instances`` (nobody is 0 rows) and ``pred_camera``, CPU tensors, px of ``image`` and m in the camera frame
    #: (x right, y down, z forward); after DTO where it ran
    sample: HumanDataSample | None = None
    #: the same before DTO, where it ran: ``person_index`` of ``sample``, where it has one, are rows of it
    before: HumanDataSample | None = None
    error: str = ''  # why there is no ``sample``; ''
    note: str = ''  # why nobody was found, DTO did not place them although it should have, or left people out; ''
    #: what its files are called, without suffix: no other picture of the call has this name; '' for one alone
    name: str = ''

    def __repr__(self):
        text = f'error: {self.error}' if self.error else self.summary
        return f'<{type(self).__name__} {self.img_id}: {text}>'

    @property
    def summary(self):
        """One line: how many people, how far away and how tall, and what is to be known of it."""
        people = self.people
        if not people:
            return people.summary + (f' ({self.note})' if self.note else '')
        guessed = 'focal length guessed' if self.sample.get('focal_source') == 'guess' else ''
        return '; '.join(text for text in (people.summary, guessed, self.sample.get('caveat', ''), self.note) if text)

    @cached_property
    def scene(self):
        """The :class:`~mmhuman_dto.visualization.Scene` that is drawn and exported."""
        if self.error:
            raise ValueError(self.error)
        versions = [sample for sample in (self.before, self.sample) if sample is not None]
        return Scene(self.img_id, self.image, self.body_model.faces.cpu().numpy(),
                     *(Placement.from_sample(sample, self.body_model) for sample in versions))

    @property
    def people(self):
        """Who is where: a :class:`~.people.PeopleView`, which prints itself."""
        return PeopleView(people_rows(self.scene.last), [*self.scene.last.notes, *([self.note] if self.note else [])])

    @property
    def vertices(self):
        """(N, V, 3) float32 m, camera frame, of the people in ``people``."""
        return self.scene.last.vertices

    @property
    def faces(self):
        """(F, 3) rows of a person's vertices."""
        return self.scene.faces

    @property
    def intrinsics(self):
        """(3, 3) px."""
        return self.scene.last.intrinsics

    def save(self, out_dir, kinds=DEFAULT_KINDS, name=None):
        """Write ``OUT_DIR/KIND/NAME.suffix`` for each kind of ``visualization.writers.WRITERS``: the paths.

        ``name`` may contain folders; None: ``self.name``, by which no picture of one call overwrites another.
        ValueError for an unknown kind, :class:`~mmhuman_dto.visualization.writers.KindError` for kinds that cannot be
        made of these people, once all others are written.
        """
        return save_scene(self.scene, out_dir, name or self.name or OutputNames().of(self.img_id), kinds)

    @property
    def is_placed(self):
        """Whether DTO placed anybody."""
        if self.before is None or not len(self.sample.pred_instances):
            return False
        reasons = self.sample.pred_instances.get('drop_reasons')
        return reasons is None or bool((reasons == DropReason.KEPT).any())

    def show(self):
        """Show the overlay in a notebook; elsewhere it is given as a ``PIL.Image``."""
        picture = Image.fromarray(draw_overlay(self.image, self.scene.last, self.scene.faces))
        notebook = sys.modules.get('IPython')
        if notebook is None or notebook.get_ipython() is None:
            return picture
        return notebook.display.display(picture)

    def view(self, **options):
        """Look around in it with a browser, until Ctrl-C: :func:`mmhuman_dto.visualization.show`, with its options."""
        return show(self.scene, **options)
