"""Parts of a model beside Gaussian components: discrete columns, and the volume of noise."""
