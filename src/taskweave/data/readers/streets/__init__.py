"""Street scenes: Cityscapes, Caltech, KITTI, CityPersons."""
