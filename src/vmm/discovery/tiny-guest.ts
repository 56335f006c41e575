import { inflateRawSync } from 'node:zlib'

/** Our own 6 KB guest (source: test/fixtures/test-guest), deflated, in base64. */
const deflated = [
  '7VltbFNVGH4OLe0YHR1IGAqGYuqUiIPJQDCbgTAXY0hEUSB8l+22a+jasp4WiT8saTE7IY2E+MvEqCEx8ZebH0spUkdGxoeYAEog',
  'RMz+oHe0W91cQjcKR849t10ZGPfLX32Tu/ue9+u853nfc7uc88FrG5oIIcjTNBggRhETSB0A25NSXgcbpuF5mGHS9KjUxIIlt8xA',
  'ugow63IjgMtVwGUziHjmAhCPUXcoUYlKVKISlahEJSpRiUpUohKVqET/L1m7y6Ln6dotP2YNwGbWt+nkPQMQ+65aKGMhNOVZ+TrK',
  'bqTtNjrWcY6ND1m7Z0XPB29u37W7tzevjx8zgahfcs6/UM0gh3toZRw2IGE0Ac7M0dHUvc66BEzAUOrvWAjx48I+VGzfaUqMWYCh',
  'GK2GZk+K7MOrQd/Zwq6JVK3dc6JXaEM+w27xl91lwx2XUnPy+Vi715P166I9dN5qQkeawq8i+FttT6qikK84kBArqO3pFRNu6XJt',
  '1rDYlOwygUTSlcWAOI9OAQ/n2UZ7OVDbwxrtFivZYS+/GDlTKeaIhfBul0vHOtlnApFwR9LGfLwpxD+ZtQDxB9owu5E5kbMA7MJg',
  'w6oFs2GNfk6EqkxTTUjDBDghTmaSwvWkcEnNkXgdGhNnMtbo0wRg59hIhYibYTcG2YVDpx8EghYieJ1dqqgEwgkRIJMQEQYj/X91',
  '+dnZ5K8mEG0Zp7JFrfOf67mdX8+JhQC0AMlHA7DsL2qk32rtDs82g3Q02g2T9DKetbvRbmAjQ5EBY2QsFzyf0IpGqyG0dzvLEyLy',
  'UJcr2W8C6TPLfLU6ND02XhHev2/dvmv3zt4uV/JOfqGao8RvCvWS/gkB5sD39zmPCyAHvrnPueiHLZu1omxiI5H0wiON9uVHts7X',
  'ijtR2g/DPUuCq89OFxtEtGt8bRZhNpKJE5MwyJxq1MZMFSVnZyWXZRcqwgAy8WVmEHVujnN2Xa3IcR6/IracIcd5oswEDA6y0xP7',
  'fXDJuWc552iYGZqO0HCiyQzCrquHc5wf7gm+lXhTjoPamE5X60WYbVK4RxptSzjleKM0Wqya7+XnYqcLE1SlyxEaVn+6y3liv3RY',
  'JB1sj9i6rh5HaDh1Rd2Z4zz1WeJ9aZ+5K+yt0VEAtVwrTZcr+YwZRLYircYU+i/mI7XnmcduTP588eLFyfYWO8uuu/MHy56+bYgt',
  'PUYGl6jG5R2Nlpksy65FsjMO3DxSZ4812i1aUxzx2I2kLx+DVsPaPevh71NRf8Q22C2xJr5mmM5gfamr2vdO1+c79l9QY5mBJzjn',
  'icMShz/HJQ6HRHN8ZNa7VLWNc65tKRGU0CY2ku4w2uOfin4wjnNe2DtGOxsZkm2RHuNcCOr3W6N77nNe326NVok3pYvC9XY/feOR',
  'lMYrIIrzidozznmqP/GVTOptLSlqiX8r5vt4jPPU/fgZwXeMcT4+msqpGeHw9Q/pKpBN6khOSl1BJUBfsfl9B5R2n9NZDl3QrgQU',
  'WhjRdrffo9icjqBnQuh3eN3N5fCHNMbmoLaHNDavj7qdbqWl4OD12fLGLUrI3ayUY3ntSyvqVq56efUax97mFsVZmNDdvK8QrlXx',
  'eHxLbc1tLR63V2lAm69FafA5nZLRMpWsTFPy2jyS9TioLhRhJac0t/om1upoOVjI0uWjNmkT8Lu9eangvW6vq2DmbvEo5dohu3jm',
  'ANiqeLWD/Mf87hfLjBjm03Xx69odABEfK2wEyIv62AJAfH/kGb5BO/4PF+nnAegEyA59/JS4CiAgO/XxYgB+AlIxTY6fmzT/C9Du',
  'EPS0DFgm4htADAaxFIKV+p2EvGIggKumGf4ABOj7V6yExLzVEYAOuUQ7UONDgO5Dc5vD7cXuAHW0U6AmcLCNOvaiJkDb5bs1z1Hl',
  'PYoar48qqNkbCEz5/6gFOqamPLyV2v1HgSr1t8DBrGGi349UybuRyXUR+JRpSEjcb1UBxspizCbspxX5q1XAJQCinjN1O+E2Q4+V',
  'p/h8oP4x886eZDc6H1j6GLt/AA==',
]

/** An ELF program with a PVH entry that does what its command line says, and says so on the serial port. */
export function tinyGuest(): Buffer {
  return inflateRawSync(Buffer.from(deflated.join(''), 'base64'))
}
