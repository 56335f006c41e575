import { inflateRawSync } from 'node:zlib'

/** Our own 6 KB guest (source: test/fixtures/test-guest), deflated, in base64. */
const deflated = [
  '7VltbNNFGH/+a9eO0tExF4aCoZg6QsTB5MVhNjJCXYwhEZ0ywnvp/u0auras1yLxgyXtzC5LIyF+MjFqSEz85OZLU4rULiMbw5kA',
  'SiBEzL6g/9FudZWEbis7uf9du+4tzPi1T9Le3e9+z3PPPc9zTXP34et7G4sEAbJSBLuAjvwquYEGjnc+m6NAA9RCETSAGhhJTcGy',
  '3LSQ395Xs0GikqOcp+SfGxy/oWb8bFvB6RVzjBakIAUpSEEKUpCCFKQgBSlIQQpSkP8uulBJYBA1NP+UVgDsx/1Nlx4rAILfV9HJ',
  'oBcas13WnMN3EwY9mui8iifHdKEVgUHPvUNHj/X1ZefD51UgSF8RQr6U1CB0xFBZGPQAEaUKwJI89zD+uHtbBFQAY/F/gl4IX6B8',
  'bz6/WxWZ0AKMBVEVyHwhj++rBfRuM75NXdWFygM3UX3WwxD9xlN4vPN6vDzrjy60R9izOxBDq2oFlGr07QLP7zWxeGnOX3qxQHdQ',
  'E+ujCzb3WPfLsWiK9qhA8CfK8gNiObeEeFgGjAYNQE0MGw1anXDYoBnyXymjawS98F6Plcc62q8CgYXbn1Bm7S3B/qW0FiD8ZNaH',
  '7yYvZrQA+Npo/Y41K0EX+EKgUyXy1AzqEwAu0puXKFW9RFXi5SxeZyfo3You8LwAgK/iVCm1m8R3R/G1s71PDIFswnMHXy8tA/BF',
  'qIFkhFoY9Q//3ePCA9HfVCDI27icziudp+7nQXY/F9cCgGwgOt8ATv8q+Yd1upBvpRqETqNBMWee2dOFjAYFTo35R5T+iYxnMCIn',
  'DVUBnZ3q1kSo5bEea3RYBUK/mvkr56FxQXt58f7jwKGjx4709Vijj7IblRVZ/JaQL6YfocEc+WGakDAN5Mi304TQemjeLyelCaf8',
  'ibVdRsOWrgOr5eTOpPYjX2yjp3agmB4QWq7hhjT4cCoZFlSUkLxslMdYoinHA6yXxtdKfQCQDG9WgyBVZAjBd6TSDCHhm/TIKTKE',
  'REpUAKOjuHfmvI9uvPoiIQTql3uLwTseaVSDgO9IHRlCOmKetyNvsbFHHqNiqY6aOcjA44x0MGJh432MtF5SP86uhXtzC1QmNOAd',
  'l36eIiRyiimsYwr6eVzrrQvgHY/flI5kCIl/HvmA8ZNTlK8LPASAGiKnpscafUENAitFVAVLqL+gU6gZxHaDMvrL0NDQXL7WgNO7',
  'H/2J070PFMFN54XRjZJyS6dRuxyn8W1/etnpe13bDEGjQSsXRZfdoBT6szZQFehCK2b/PuXVR3CvQRtsJDvH0TLcH78l/97x+WzF',
  'LhI1nBx5hhAS6WBx+GuSxeEsLY6P1bxKJf0kIfKRokYF1IhTiU6lIfwZrQflJCG5s6M04NQYK4vEBCEUqDulCxyfJqSuXReopC1C',
  '63x1Bhd6c55Lk6VAk/OpFJskJD4c+Zo59Y7sFNKGv6PrfTJBSHw6fIX2OycImXwYz0hJqvDNj4lKEJqkVIahVo/oRq/pXc7TYrvT',
  'YtEAB9pFt4hyI9Ruc9lFvcXksc+ALpPDZtaAyyt39CaknzWjdziRzWITW3IKDqc+S24RvTazqIEtNa9s3bZ9x6u1O00nzC2iJbeg',
  'zXwyZ65VtNudm/Tmtha7zSHWQ5uzRax3WiysI3vKusxN1pfXYV27CXGQmmU90dzqnNmrqeVMzkurE+kZx+2yObIo7TtsDmuOZmux',
  'i5rcxXo5ABwQHbmL/EVEkOnjZC5eLL8FCLmr9zc4XsLxfRx/meNamagAid/fK/Ou+ynfN4e/iuPdHD/M8ec4XiYw/AjH13PcxfHS',
  'IoZvWMT/l+RvBX13mLX9zXJoBPApGK5QMHy77KswP1zWajO43ECTe2rrdmC5bTW5gaeWZdVd7QQ3OgnmNpPNAcfcyNSOAKrdZ9qQ',
  '6QRUu1E7a1uzPSS+j6Da4UQiVJ9wu//3/7g1PFGq2anNvbfcUM/ml83RX8/fcXhYZ95j+PtMxQJ1ky8beG3wcObq4D7XV85ZULmA',
  'vaIF9iVx/Vphpi6X87WorObtsry180XP363qnuL/ykX0D3P9TU/R/xc=',
]

/** An ELF program with a PVH entry that does what its command line says, and says so on the serial port. */
export function tinyGuest(): Buffer {
  return inflateRawSync(Buffer.from(deflated.join(''), 'base64'))
}
