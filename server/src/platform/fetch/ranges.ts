import { BlockList } from 'node:net';

const list = (...subnets: readonly (readonly [net: string, prefix: number, family: 'ipv4' | 'ipv6'])[]): BlockList => {
  const made = new BlockList();
  for (const [net, prefix, family] of subnets) made.addSubnet(net, prefix, family);
  return made;
};

/**
 * Cloud metadata services hand out credentials to whoever asks from inside. Refused for everyone, always. AWS, Google, Azure and others
 * (169.254.169.254), ECS and EKS, Azure's WireServer, Alibaba, Oracle, Scaleway; by IPv6 AWS, Google and Scaleway.
 */
export const METADATA = list(
  ['169.254.169.254', 32, 'ipv4'],
  ['169.254.170.2', 32, 'ipv4'],
  ['169.254.170.23', 32, 'ipv4'],
  ['168.63.129.16', 32, 'ipv4'],
  ['100.100.100.200', 32, 'ipv4'],
  ['192.0.0.192', 32, 'ipv4'],
  ['169.254.42.42', 32, 'ipv4'],
  ['fd00:ec2::254', 128, 'ipv6'],
  ['fd00:ec2::23', 128, 'ipv6'],
  ['fd20:ce::254', 128, 'ipv6'],
  ['fd00:42::42', 128, 'ipv6'],
);

/** This host, private, link-local, carrier, benchmarking, multicast and reserved ranges (IANA special-purpose registries). */
export const INTERNAL = list(
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 127, 'ipv6'],
  ['64:ff9b:1::', 48, 'ipv6'],
  ['100::', 64, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['fec0::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
);
