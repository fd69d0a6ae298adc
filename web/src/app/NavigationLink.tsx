import { useTranslation } from "react-i18next";
import { NavLink } from "react-router";

import type { Destination } from "./navigation";

interface Props {
  readonly destination: Destination;
  readonly className: string;
}

export function NavigationLink({ destination, className }: Props) {
  const { t } = useTranslation();
  const Icon = destination.icon;
  return (
    <NavLink to={`/${destination.name}`} className={className}>
      <Icon size={19} stroke={1.7} aria-hidden />
      <span>{t(`navigation.${destination.name}`)}</span>
    </NavLink>
  );
}
