"""A drawing and a photo for the demonstration's acceptances."""

import io

from PIL import Image

DRAWING = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n%%EOF"
)


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), "#8aa").save(out, "PNG")
    return out.getvalue()
