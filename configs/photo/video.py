# Videos to people through time in metres, offline: as photos, but with joints that are followed from frame to frame.
# python demo/image_demo.py clip.mp4
_base_ = ['./photo.py']
