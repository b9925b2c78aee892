"""Images with boxes: VOC, COCO, Penn-Fudan, birds."""
