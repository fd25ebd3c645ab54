from .paper import PaperDTO

__all__ = ['PaperDTO']
