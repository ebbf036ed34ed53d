"""Pictures in a page."""

from io import BytesIO

from PIL import Image

__all__ = ["jpeg_of"]


def jpeg_of(image: Image.Image) -> bytes:
    """A picture as a JPEG file."""
    file = BytesIO()
    image.save(file, format="jpeg", quality=85)
    return file.getvalue()
